/// A value and where it stands.
struct Placed<Value> {
    var value: Value
    var position: SourcePosition
}
