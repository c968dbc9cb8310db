// Package words says which words a text has, as search sees them, and where a text holds what somebody looks for. It
// knows no database: what is kept in an index and what is read through are told apart by nobody, for both ask here.
//
// Two texts that look alike have the same words: compatibility forms, case and diacritics are folded. Scripts that are
// written without spaces (Han, Kana, Hangul, Thai …) are found by any piece of a sentence, one character or more: an index
// keeps their characters and each two that are neighbours. All others are found by whole words, by how a word begins, from
// three letters on, and, in English, by another form of it: running finds run. An emoji is a word.
package words
