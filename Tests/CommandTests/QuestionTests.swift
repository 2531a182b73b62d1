import Query
import Testing
import varve

@Suite("Questions of the benchmark")
struct QuestionTests {
  @Test("every question is one statement, and named once")
  func statements() throws {
    #expect(Set(Question.all.map(\.name)).count == Question.all.count)
    for question in Question.all { #expect(try QueryEngine.canonical(question.influxQL).count == 1) }
  }

  @Test("VictoriaMetrics is asked for as many steps as there are buckets")
  func steps() throws {
    let question = try #require(Question.all.first { $0.name == "double-groupby-1" })
    let parameters = Dictionary(uniqueKeysWithValues: question.metricsQL.parameters.map { ($0.name, $0.value) })
    let (start, end) = (try #require(Int(parameters["start"] ?? "")), try #require(Int(parameters["end"] ?? "")))
    #expect((end - start) / 3_600 + 1 == 12)
    // 07:00 less a second: the points from 06:00 on.
    #expect(start == 1_451_606_400 + 7 * 3_600 - 1)
  }
}
