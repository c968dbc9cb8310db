// Package describe says what the Go types of a protocol are on the wire, in the words of others: as an AsyncAPI 3 document, and
// as types for TypeScript. It knows nothing of any chat: who speaks the protocol hands in the names of its events and
// their types.
//
// What stands in the types counts: the names of the json tags, "omitempty" for what may be absent, and `nullable:"true"`
// for what may be null. A pointer is what it points to, and lists are never null.
package describe
