package machine

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// processClock is the id of the clock that counts the processor time of another process (clock_getcpuclockid), in
// nanoseconds: all its threads, user and system, those that have ended too. /proc/<pid>/stat has the same in steps of 10 ms.
func processClock(pid int) int32 { return int32(^pid<<3 | 2) }

// CPUTime is the processor time that a process has used.
func CPUTime(pid int) (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(processClock(pid), &t); err != nil {
		return 0, fmt.Errorf("read the processor time of %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// Descendants are the processes that a process started, and those that these did.
func Descendants(of int) (pids []int, err error) {
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, name := range all {
		if pid, parent, ok := parentIn(name); ok {
			children[parent] = append(children[parent], pid)
		}
	}
	for next := []int{of}; len(next) > 0; next = next[1:] {
		pids = append(pids, children[next[0]]...)
		next = append(next, children[next[0]]...)
	}
	return pids, nil
}

// parentIn reads who a process is and who started it; false if it has ended.
func parentIn(stat string) (pid, parent int, ok bool) {
	data, err := os.ReadFile(stat)
	if err != nil {
		return 0, 0, false
	}
	name := bytes.LastIndexByte(data, ')') // which may hold anything
	n, _ := fmt.Sscanf(string(data[:max(name, 0)]), "%d", &pid)
	m, _ := fmt.Sscanf(string(data[name+1:]), " %1s %d", new(string), &parent)
	return pid, parent, n == 1 && m == 2
}

// Memory is what a process holds of memory, in bytes.
type Memory struct {
	Resident  int64 // all of it, with the program itself
	Anonymous int64 // without files: heap, stacks, the runtime
}

// MemoryOf reads the memory of a process.
func MemoryOf(pid int) (m Memory, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return m, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		kilobytes, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
		switch name {
		case "VmRSS":
			m.Resident = kilobytes << 10
		case "RssAnon":
			m.Anonymous = kilobytes << 10
		}
	}
	if m.Anonymous == 0 {
		return m, fmt.Errorf("process %d has ended", pid)
	}
	return m, nil
}

// Busy is the processor time that everything on this machine has used on all cores, interrupts included, and what the
// hypervisor took.
func Busy() (time.Duration, error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(data), "\n")
	const idle, ioWait, guest = 4, 5, 9 // fields of the line; guests count as user already
	var ticks int64
	for i, field := range strings.Fields(line) {
		if i == 0 || i == idle || i == ioWait || i >= guest {
			continue
		}
		n, _ := strconv.ParseInt(field, 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}
