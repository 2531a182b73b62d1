// swift-tools-version: 6.2

import PackageDescription

/// The settings of every target; a warning is an error.
let settings: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]
/// The settings of sources: each unsafe use is marked. `#expect` cannot carry the mark, so tests do without.
let strict: [SwiftSetting] = settings + [.strictMemorySafety()]

let package = Package(
  name: "varve",
  products: [
    .executable(name: "varve", targets: ["varve"]),
    .library(name: "LineProtocol", targets: ["LineProtocol"]),
    .library(name: "Storage", targets: ["Storage"]),
    .library(name: "Query", targets: ["Query"]),
  ],
  targets: [
    // System libraries and thin C.
    .systemLibrary(name: "CSnappy", pkgConfig: "snappy", providers: [.apt(["libsnappy-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CShims"),
    // Load libmicrohttpd when a server listens, libcurl when one is asked, and link nothing: see their sources.
    .target(name: "CMicroHTTPD", dependencies: ["CShims"]),
    .target(name: "CCurl", dependencies: ["CShims"]),
    // Loads librsvg when a PNG is drawn, and links nothing: see CRaster.c.
    .target(name: "CRaster", dependencies: ["CShims"]),
    // Loads libedit when a line is to be edited, and links nothing.
    .target(name: "CLineEditor", dependencies: ["CShims"]),
    .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2"), .linkedLibrary("stdc++")]),

    // The store, bottom up.
    .target(name: "Coding", dependencies: ["CSnappy", "CShims"], swiftSettings: strict),
    .target(name: "LineProtocol", dependencies: ["CShims"], swiftSettings: strict),
    .target(name: "Storage", dependencies: ["LineProtocol", "Coding", "CRE2", "CShims"], swiftSettings: strict),
    .target(name: "Query", dependencies: ["Storage", "LineProtocol", "CRaster"], swiftSettings: strict),
    // The page lies in the binary: no build step, and no file that must be found at run time. A target of its own, because the
    // compiler is slow with long arrays: beside others it holds nothing up.
    .target(
      name: "Page", dependencies: ["CZlib"], resources: [.embedInCode("Files")], swiftSettings: strict),
    .target(
      name: "Server",
      dependencies: ["Query", "Storage", "LineProtocol", "Page", "CMicroHTTPD", "CZlib", "CShims"],
      swiftSettings: strict),
    .target(name: "Client", dependencies: ["CCurl"], swiftSettings: strict),
    .executableTarget(
      name: "varve",
      dependencies: [
        "Server", "Query", "Storage", "LineProtocol", "Coding", "Client", "CLineEditor", "CZlib", "CShims",
      ],
      swiftSettings: strict),

    // Tests mirror Sources.
    .target(
      name: "TestSupport", dependencies: ["Storage", "LineProtocol"], path: "Tests/TestSupport",
      swiftSettings: settings),
    .testTarget(name: "CodingTests", dependencies: ["Coding", "TestSupport"], swiftSettings: settings),
    .testTarget(name: "LineProtocolTests", dependencies: ["LineProtocol", "TestSupport"], swiftSettings: settings),
    .testTarget(
      name: "StorageTests", dependencies: ["Storage", "LineProtocol", "Coding", "CShims", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "QueryTests", dependencies: ["Query", "Storage", "LineProtocol", "CZlib", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "ServerTests", dependencies: ["Server", "Query", "Client", "Storage", "TestSupport"],
      swiftSettings: settings),
    .testTarget(name: "ClientTests", dependencies: ["Client", "TestSupport"], swiftSettings: settings),
    .testTarget(
      name: "CommandTests", dependencies: ["varve", "Server", "Query", "Storage", "TestSupport"], exclude: ["Clients"],
      swiftSettings: settings),
  ]
)
