import Glibc

/// What libFuzzer calls with each input. `FUZZ_TARGET` says which property is held against it.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    do throws(Broken) {
        try target.check(input)
    } catch {
        say("\(target.name): \(error.description)")
        abort()
    }
    return 0
}

private let config = FuzzTarget(name: "config") { input throws(Broken) in
    if let fault = ConfigurationProperty.fault(input) { throw Broken(fault) }
}

private let target: FuzzTarget = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = (FuzzTarget.core + [config]).first(where: { $0.name == name }) else {
        say("FUZZ_TARGET names no target")
        exit(2)
    }
    return target
}()

private func say(_ words: String) {
    let line = Array("\(words)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
}
