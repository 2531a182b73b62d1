import Storage

/// `POST /verify`: checks every file while the server goes on; the document says what is damaged.
struct VerifyRoute: Sendable {
  let context: ServerContext

  func reply(to request: HTTPRequest) -> HTTPReply {
    guard request.method == "POST" else {
      return .now(.notAllowed("POST"))
    }
    return context.later { store in
      do throws(StorageError) {
        return .document(try store.verify())
      } catch {
        return .error(500, error.description)
      }
    }
  }
}
