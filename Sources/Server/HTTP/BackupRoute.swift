import Storage

/// `POST /backup?directory=…&db=…&incremental=true&verify=true` and `POST /restore?directory=…&db=…&as=…`. Directories are absolute
/// paths on the server's machine.
struct BackupRoute: Sendable {
  let context: ServerContext

  func reply(to request: HTTPRequest) -> HTTPReply {
    guard request.method == "POST" else {
      return .now(.notAllowed("POST"))
    }
    guard let directory = request.parameter("directory"), !directory.isEmpty else {
      return .now(.error(400, "directory is missing: an absolute path on the server's machine"))
    }
    return context.later { answer(request, directory, $0) }
  }

  private func answer(_ request: HTTPRequest, _ directory: String, _ store: Store) -> HTTPResponse {
    let database = request.parameter("db")
    do throws(StorageError) {
      if request.path == "/restore" {
        return .document(try store.restore(from: directory, database: database, as: request.parameter("as")))
      }
      return .document(
        try store.backUp(
          to: directory, database: database, isIncremental: request.parameter("incremental") == "true",
          isVerified: request.parameter("verify") == "true"))
    } catch {
      return .error(Self.status(of: error), error.description)
    }
  }

  private static func status(of error: StorageError) -> UInt32 {
    switch error.code {
    case .notFound: 404
    case .exists, .locked: 409
    case .invalid: 400
    case .corrupt, .unsupportedVersion: 422
    case .full: 507
    default: 500
    }
  }
}
