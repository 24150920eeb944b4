import CCurl
import COpenSSL
import Glibc

/// Bytes lent to libcurl, overwritten when they are given back.
final class WipedBytes {
    private let memory: UnsafeMutableRawBufferPointer

    init(_ bytes: [UInt8]) {
        memory = .allocate(byteCount: max(1, bytes.count), alignment: 1)
        memory.copyBytes(from: bytes)
    }

    /// Never nil, also without bytes.
    var pointer: UnsafeMutableRawPointer? { memory.baseAddress }

    deinit {
        OPENSSL_cleanse(memory.baseAddress, memory.count)
        memory.deallocate()
    }
}

/// A list of lines as libcurl takes it, overwritten when it is given back.
final class WipedLines {
    private(set) var pointer: UnsafeMutablePointer<curl_slist>?

    /// False when there is no memory. `line` holds no NUL.
    func append(_ line: [UInt8]) -> Bool {
        let copy = WipedBytes(line + [0])
        guard let text = copy.pointer,
            let longer = curl_slist_append(pointer, text.assumingMemoryBound(to: CChar.self))
        else { return false }
        pointer = longer
        return true
    }

    deinit {
        var next = pointer
        while let entry = next {
            OPENSSL_cleanse(entry.pointee.data, strlen(entry.pointee.data))
            next = entry.pointee.next
        }
        curl_slist_free_all(pointer)
    }
}
