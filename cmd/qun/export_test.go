package main

// UntilSignal is what main waits for.
var UntilSignal = untilSignal
