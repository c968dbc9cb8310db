package machine

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Describe is the machine, one fact a line.
func Describe() []string {
	var name unix.Utsname
	_ = unix.Uname(&name) // cannot fail
	var info unix.Sysinfo_t
	_ = unix.Sysinfo(&info) // cannot fail
	cpu := field("/proc/cpuinfo", "model name")
	virtual := ""
	if strings.Contains(field("/proc/cpuinfo", "flags"), "hypervisor") {
		virtual = ", virtual"
	}
	return []string{
		fmt.Sprintf("%d cores of %s%s (family %s, model %s), %d GB of memory", cores(), cpu, virtual,
			field("/proc/cpuinfo", "cpu family"), field("/proc/cpuinfo", "model\t"), info.Totalram*uint64(info.Unit)>>30),
		"Linux " + strings.SplitN(unix.ByteSliceToString(name.Release[:]), "-", 2)[0] + ", loopback only",
		runtime.Version() + ", Node " + strings.TrimSpace(output("node", "--version")),
	}
}

func cores() int {
	data, _ := os.ReadFile("/proc/cpuinfo")
	return strings.Count(string(data), "\nmodel name")
}

// field is the first value of a key in a file of "key : value" lines.
func field(file, key string) string {
	data, _ := os.ReadFile(file)
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.HasPrefix(name, key) {
			return strings.TrimSpace(value)
		}
	}
	return "?"
}

func output(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "?"
	}
	return string(out)
}
