import Glibc

/// Shows what is written to standard output a screen at a time, by the program that `PAGER` names.
struct Pager {
  /// The command line, for `sh`; empty: none.
  var command: String

  /// `PAGER`; without it `less` where it is there, quitting where all fits on one screen. None on a terminal that cannot move its cursor: `less`
  /// would wait for a key before each answer.
  init(environment: (String) -> String?) {
    let terminal = environment("TERM") ?? ""
    if terminal.isEmpty || terminal == "dumb" {
      command = ""
      return
    }
    command = environment("PAGER") ?? (unsafe access("/usr/bin/less", X_OK) == 0 ? "less -dFRSX" : "")
  }

  /// Runs `body` with standard output going through the program, and waits until its user has read enough.
  ///
  /// - Throws: what `body` throws, but for `BrokenPipe`: who leaves the pager has read enough.
  func during(_ body: () throws -> Void) throws {
    guard !command.isEmpty else { return try body() }
    try Output.standard.flush()
    var ends: [Int32] = [0, 0]
    guard unsafe pipe(&ends) == 0 else {
      throw CommandFailure("cannot make a pipe: \(systemErrorText(errno))")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let terminal = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
    let child = try spawn(reading: ends[0])
    close(ends[0])
    dup2(ends[1], STDOUT_FILENO)
    close(ends[1])
    defer {
      dup2(terminal, STDOUT_FILENO)
      close(terminal)
      var status: Int32 = 0
      while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
    }
    do {
      try body()
      try Output.standard.flush()
    } catch is BrokenPipe {}
  }

  private func spawn(reading descriptor: Int32) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, STDIN_FILENO)
    var words: [UnsafeMutablePointer<CChar>?] =
      unsafe ["sh", "-c", command].map { (word: String) in unsafe strdup(word) } + [nil]
    defer { for index in unsafe words.indices { unsafe free(words[index]) } }
    var child: pid_t = 0
    let code = unsafe posix_spawn(&child, "/bin/sh", &actions, nil, &words, environ)
    guard code == 0 else { throw CommandFailure("cannot start \(command): \(systemErrorText(code))") }
    return child
  }
}
