import Glibc

/// What the system says of this process (proc(5)). What it does not say is 0.
struct ProcessFigures {
    private(set) var cpuSeconds = 0.0
    private(set) var residentBytes = 0
    private(set) var openDescriptors = 0
    private(set) var maxDescriptors = 0
    private(set) var threads = 0

    init() {
        var usage = rusage()
        if getrusage(RUSAGE_SELF.rawValue, &usage) == 0 {
            cpuSeconds = [usage.ru_utime, usage.ru_stime].reduce(0) {
                $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
            }
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            maxDescriptors = Int(clamping: limit.rlim_cur)
        }
        if let folder = opendir("/proc/self/fd") {
            while let entry = readdir(folder) {
                if entry.pointee.d_name.0 != UInt8(ascii: ".") { openDescriptors += 1 }
            }
            closedir(folder)
            // The one of the folder itself.
            openDescriptors -= 1
        }
        guard let status = try? SmallFile("/proc/self/status", bytesMax: 16 << 10) else { return }
        for line in String(decoding: status.bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split { $0 == "\t" || $0 == " " }
            guard words.count > 1, let number = Int(words[1]) else { continue }
            if words[0] == "VmRSS:" { residentBytes = number << 10 }
            if words[0] == "Threads:" { threads = number }
        }
    }
}
