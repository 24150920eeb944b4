import Glibc
import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// Among those that go one after the other: its inotify descriptors would be counted by others.
    struct FileWatchTests {
        /// A folder with the file `secret` in it, and a watch on that.
        private func watched(_ name: String = "secret") throws -> (StateFolder, FileWatch) {
            let folder = try StateFolder()
            try Files.write([1], to: folder.root + "/secret")
            let watch = FileWatch()
            watch.replace(paths: ["\(folder.root)/\(name)"])
            #expect(watch.isComplete && !watch.drain())
            return (folder, watch)
        }

        private func isReadable(_ watch: FileWatch) -> Bool {
            var entry = pollfd(fd: watch.descriptor, events: Int16(POLLIN), revents: 0)
            return poll(&entry, 1, 0) == 1
        }

        @Test func `a file that is written to is noticed, once`() throws {
            let (folder, watch) = try watched()
            #expect(!isReadable(watch))
            try Files.write([2], to: folder.root + "/secret")
            #expect(isReadable(watch) && watch.drain())
            #expect(!isReadable(watch) && !watch.drain())
        }

        @Test func `a file that is exchanged by renaming is noticed, again and again`() throws {
            let (folder, watch) = try watched()
            for round in 0..<3 {
                try Files.write([UInt8(round)], to: folder.root + "/secret.new")
                #expect(watch.drain())
                rename(folder.root + "/secret.new", folder.root + "/secret")
                #expect(watch.drain() && !watch.drain())
            }
        }

        @Test func `a file that comes, goes or can be read now is noticed`() throws {
            let (folder, watch) = try watched("later")
            try Files.write([2], to: folder.root + "/later")
            #expect(watch.drain())
            chmod(folder.root + "/later", 0o400)
            #expect(watch.drain())
            unlink(folder.root + "/later")
            #expect(watch.drain() && !watch.drain())
        }

        @Test func `a file in a folder that comes later is noticed`() throws {
            let (folder, watch) = try watched("a/b/secret")
            mkdir(folder.root + "/a", 0o700)
            #expect(watch.drain())
            mkdir(folder.root + "/a/b", 0o700)
            #expect(watch.drain())
            try Files.write([2], to: folder.root + "/a/b/secret")
            #expect(watch.drain() && !watch.drain())
        }

        @Test func `a folder that was exchanged is watched from then on`() throws {
            let (folder, watch) = try watched("a/secret")
            for _ in 0..<2 {
                mkdir(folder.root + "/a", 0o700)
                #expect(watch.drain())
                try Files.write([2], to: folder.root + "/a/secret")
                #expect(watch.drain())
                Files.remove(folder.root + "/a")
                #expect(watch.drain() && !watch.drain())
            }
        }

        /// As Kubernetes exchanges all files of a volume at once.
        @Test func `files behind a link that is turned are noticed`() throws {
            let folder = try StateFolder()
            let root = folder.root
            func fill(_ version: String) throws {
                mkdir("\(root)/..\(version)", 0o700)
                try Files.write(Array(version.utf8), to: "\(root)/..\(version)/secret")
                symlink("..\(version)", root + "/..data_tmp")
            }
            try fill("1")
            rename(root + "/..data_tmp", root + "/..data")
            symlink("..data/secret", root + "/secret")
            symlink(root + "/secret", root + "/alias")
            let watch = FileWatch()
            watch.replace(paths: [root + "/alias"])
            for version in ["2", "3"] {
                try fill(version)
                #expect(watch.drain())
                rename(root + "/..data_tmp", root + "/..data")
                #expect(watch.drain())
                #expect(try Files.bytes(root + "/alias") == Array(version.utf8))
                // Where it leads now is watched too.
                try Files.write([2], to: "\(root)/..\(version)/secret")
                #expect(watch.drain() && !watch.drain())
            }
        }

        @Test func `links that lead in a circle lead nowhere`() throws {
            let (folder, watch) = try watched("circle")
            symlink("circle", folder.root + "/circle")
            #expect(watch.drain())
            unlink(folder.root + "/circle")
            #expect(watch.drain())
        }

        @Test func `other paths can take the place of those watched`() throws {
            let (folder, watch) = try watched()
            let other = try StateFolder()
            watch.replace(paths: [other.root + "/a", other.root + "/b"])
            try Files.write([2], to: folder.root + "/secret")
            #expect(!watch.drain())
            try Files.write([2], to: other.root + "/b")
            #expect(watch.drain())
            watch.replace(paths: [])
            try Files.write([2], to: other.root + "/b")
            #expect(!watch.drain())
        }

        @Test func `a thousand directories are watched, and no more`() throws {
            let folder = try StateFolder()
            let paths = (0...FileWatch.directoriesMax).map { number in
                mkdir("\(folder.root)/\(number)", 0o700)
                return "\(folder.root)/\(number)/secret"
            }
            let watch = FileWatch()
            watch.replace(paths: paths.dropLast())
            #expect(watch.isComplete)
            try Files.write([1], to: paths[FileWatch.directoriesMax - 1])
            #expect(watch.drain() && watch.isComplete)
            watch.replace(paths: paths)
            #expect(!watch.isComplete)
        }

        @Test func `without inotify nothing is noticed, and that can be asked`() throws {
            let folder = try StateFolder()
            let watch = FileWatch(instance: -1)
            watch.replace(paths: [folder.root + "/secret"])
            try Files.write([2], to: folder.root + "/secret")
            #expect(watch.descriptor == -1 && !watch.isComplete && !watch.drain())
        }

        @Test func `a state that rings is heard, and one that saves is not`() throws {
            let folder = try StateFolder()
            let (daemon, command) = (try folder.open(), try folder.open())
            try daemon.save(Secret("0"), at: .token("acme"))
            let watch = FileWatch()
            watch.replace(paths: [daemon.doorbell])
            for round in 0..<3 {
                try command.save(Secret("\(round)"), at: .token("acme"))
                try command.tryLock(.token("acme"))?.release()
                try daemon.save(Secret("\(round)"), at: .token("acme"))
                #expect(!watch.drain())
                try command.ring()
                #expect(watch.drain() && !watch.drain())
            }
        }
    }
}
