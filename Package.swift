// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

// Exclusive access is proved by the compiler and checked while running in debug builds; in release builds of the one
// module that every byte goes through, the check at run time is left out: it took 4 % of a request. See
// docs/decisions/0006-exclusivity.md. Bounds checks stay.
let hotPath: [SwiftSetting] =
    strict + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

// The runtime in the binary: calls into it need no table, and it runs where no Swift is installed. See
// docs/decisions/0014-the-runtime-in-the-binary.md. The two libraries are what the linker cannot know that Foundation's
// part in ArgumentParser needs.
let staticRuntime = ["-static-stdlib", "-l_FoundationCShims", "-l_FoundationCollections"]

let package = Package(
    name: "tollkey",
    products: [
        .executable(name: "tollkey", targets: ["tollkey"]),
        .executable(name: "tollkey-sandbox", targets: ["tollkey-sandbox"]),
    ],
    dependencies: [
        // Exact pins: a build today and a build next year use the same sources.
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        // The sandbox and the tests only: an HTTP and TLS stack that shares no code with the product's.
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    ],
    targets: [
        .systemLibrary(
            name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CYaml", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),

        .target(name: "TollkeyCore", swiftSettings: strict),
        .target(
            name: "TollkeyConfig", dependencies: ["TollkeyCore", "CYaml"],
            resources: [
                .embedInCode("Providers/piaxis.yaml"), .embedInCode("Providers/tezpay.yaml"),
                .embedInCode("Providers/pixlpay.yaml"), .embedInCode("Providers/tuku.yaml"),
                .embedInCode("Providers/jpay.yaml"),
            ],
            swiftSettings: strict),
        .target(
            name: "TollkeyServer",
            dependencies: [
                "TollkeyCore", "CLinux", "COpenSSL", "CCurl", "CSQLite", "CHiredis",
                .product(name: "Logging", package: "swift-log"),
            ],
            resources: [
                .embedInCode("Admin/Page/page.html"), .embedInCode("Admin/Page/page.css"),
                .embedInCode("Admin/Page/page.js"),
            ], swiftSettings: hotPath),
        .executableTarget(
            name: "tollkey",
            dependencies: [
                "TollkeyCore", "TollkeyConfig", "TollkeyServer", "CLinux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict,
            linkerSettings: [.unsafeFlags(staticRuntime, .when(configuration: .release))]),

        .target(
            name: "TollkeySandbox",
            dependencies: [
                "COpenSSL",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "tollkey-sandbox",
            dependencies: [
                "TollkeySandbox",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ], swiftSettings: strict),

        .testTarget(name: "TidyTests", swiftSettings: strict),
        .testTarget(
            name: "TollkeyCoreTests", dependencies: ["TollkeyCore"], swiftSettings: strict),
        .testTarget(
            name: "TollkeyConfigTests", dependencies: ["TollkeyConfig", "TollkeyCore"],
            swiftSettings: strict),
        .testTarget(
            name: "TollkeyServerTests",
            dependencies: [
                "TollkeyServer", "TollkeyConfig", "TollkeyCore", "TollkeySandbox", "CSQLite",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict),
    ]
)
