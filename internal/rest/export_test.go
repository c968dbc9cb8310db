package rest

// Pace is pace.
var Pace = pace
