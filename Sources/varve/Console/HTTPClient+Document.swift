import Client
import FoundationEssentials

extension HTTPClient {
  /// The JSON document that a server answered with.
  func document<Document: Decodable>(_ response: HTTPResponse, of path: String) throws -> Document {
    guard response.isSuccess else {
      throw CommandFailure("\(baseURL)\(path) answered \(response.status): \(errorText(of: response))")
    }
    do {
      return try JSONDecoder().decode(Document.self, from: Data(response.body))
    } catch {
      throw CommandFailure("\(baseURL)\(path) answered a document of another shape: \(error)")
    }
  }
}
