package import Logging
import TollkeyCore

/// Log records as JSON objects, one a line.
package struct JSONLines: LogHandler {
    package var metadata: Logger.Metadata = [:]
    /// One for the process: `control` has it.
    package var logLevel: Logger.Level {
        get { Logger.Level(control.settings.level) }
        set {}
    }
    private let sink: LogSink
    private let control: LogControl

    package static func logger(_ sink: LogSink, _ control: LogControl) -> Logger {
        Logger(label: "tollkey") { _ in JSONLines(sink: sink, control: control) }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = "{\"time\":\"\(LogTime.text(Clock.system.wall()))\",\"level\":\"\(event.level)\","
        line += "\"message\":\(JSON.quoted(event.message.description))"
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += ",\(JSON.quoted(key)):\(JSON.quoted("\(value)"))"
        }
        sink.append(line + "}\n")
    }
}
