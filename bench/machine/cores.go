package machine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// pinned marks, in the environment, a process that has put itself on its core. It keeps the cores that were allowed before.
const pinned = "QUN_BENCH_CORES"

// Cores are the processors on which servers and the crowd run.
type Cores struct {
	Server unix.CPUSet
	Load   unix.CPUSet
	All    unix.CPUSet
	names  string
}

// Pin puts the whole process on a core of its own and tells which others there are. Threads inherit the mask of the thread
// that starts them, and the Go runtime has some before main, so the process sets the mask and then starts itself anew.
func Pin() (*Cores, error) {
	all, err := allowed()
	if err != nil {
		return nil, err
	}
	if len(all) < 2 {
		return nil, fmt.Errorf("a core for the server and one for the load are needed, this process may use %v", all)
	}
	c := &Cores{names: fmt.Sprintf("server on core %d, load on core %d", all[0], all[1])}
	c.Server.Set(all[0])
	c.Load.Set(all[1])
	for _, core := range all {
		c.All.Set(core)
	}
	if os.Getenv(pinned) != "" {
		return c, nil
	}
	runtime.LockOSThread()
	if err := unix.SchedSetaffinity(0, &c.Load); err != nil {
		return nil, fmt.Errorf("move to core %d: %w", all[1], err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return nil, syscall.Exec(self, os.Args, append(os.Environ(), fmt.Sprintf("%s=%d,%d", pinned, all[0], all[1])))
}

func (c *Cores) String() string { return c.names }

// allowed lists the cores of the process, as they were before it pinned itself.
func allowed() ([]int, error) {
	var first, second int
	if n, _ := fmt.Sscanf(os.Getenv(pinned), "%d,%d", &first, &second); n == 2 {
		return []int{first, second}, nil
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("read the allowed cores: %w", err)
	}
	var cores []int
	for i := range len(set) * 64 {
		if set.IsSet(i) {
			cores = append(cores, i)
		}
	}
	return cores, nil
}

// Start starts a process on the given cores.
func Start(cmd *exec.Cmd, cores *unix.CPUSet) error { return On(cores, cmd.Start) }

// On does something on the given cores: the processes that it starts have the mask of the thread that forks them.
func On(cores *unix.CPUSet, do func() error) error {
	var mine unix.CPUSet
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.SchedGetaffinity(0, &mine); err != nil {
		return fmt.Errorf("read the core: %w", err)
	}
	if err := unix.SchedSetaffinity(0, cores); err != nil {
		return fmt.Errorf("choose cores: %w", err)
	}
	err := do()
	if back := unix.SchedSetaffinity(0, &mine); back != nil {
		return errors.Join(err, fmt.Errorf("return to the core: %w", back))
	}
	return err
}

// Without is environ without what Pin added.
func Without(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(v string) bool { return len(v) > len(pinned) && v[:len(pinned)] == pinned })
}
