// Package load is a crowd of WebSocket clients on one thread: it connects them, lets them join rooms and send, counts every
// message that arrives at each of them, and measures how long it took.
//
// A message carries the number of its sender, a sequence number and the time of sending. Every connection remembers the
// last number it saw from each sender of its room, so a message that is lost, doubled or out of order does not go unnoticed.
//
// The crowd is cheap so that one core of it can saturate one core of a server: level-triggered epoll, one read(2) per ready
// connection into one shared buffer, no goroutines, and no decoding beyond frame headers and the mark in the payload.
//
// # Concurrency
//
// A Crowd belongs to one goroutine, which should be locked to its thread and have a core to itself.
package load
