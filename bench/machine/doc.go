// Package machine is what a benchmark asks of Linux: processes on cores of their own, the processor time and memory of
// another process, and what else keeps the machine busy.
package machine
