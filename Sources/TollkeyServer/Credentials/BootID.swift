/// Which boot of the machine this is: the monotonic clock means nothing beyond it.
enum BootID {
    /// Empty when the system does not say.
    static func read() -> String {
        guard let file = try? SmallFile("/proc/sys/kernel/random/boot_id", bytesMax: 64) else { return "" }
        return String(decoding: file.bytes, as: UTF8.self).filter { $0.isHexDigit || $0 == "-" }
    }
}
