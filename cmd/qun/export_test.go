package main

// Patient is the HTTP server without what it serves.
var Patient = patient

// UntilSignal is what main waits for.
var UntilSignal = untilSignal
