// Package names says what a name may look like, and when two names are one.
//
// A name has three forms. What somebody typed is cleaned into what is shown: control, bidi and invisible characters are
// gone, a heap of accents is thinned, length is bounded in graphemes (what a reader counts as one character). An address
// of a room is looked up by its key: NFKC, case folding, trimming (UAX #15, #31). A nickname is compared by its skeleton:
// what it looks like at a glance, so that nobody passes for somebody else (after UTS #39, with a table of our own).
//
// The suffix （访客） is the server's alone: it marks a guest whose name a member bears. It is stripped from what is typed.
//
// Everything here is a pure function; no peer's bytes make it fail or take more than linear time.
package names
