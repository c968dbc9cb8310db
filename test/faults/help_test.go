package faults_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"
)

// The page about settings knows every flag, and no flag that is not there.
func TestConfigurationPageNamesEveryFlag(t *testing.T) {
	help, err := exec.CommandContext(t.Context(), programUnderTest(t), "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	has := flags(regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`), help)
	has = slices.DeleteFunc(has, func(name string) bool { return name == "help" })
	if said := flags(regexp.MustCompile("(?m)^\\| `--([a-z-]+)"), page); !slices.Equal(said, has) {
		t.Errorf("docs/configuration.md names %q, the program has %q", said, has)
	}
}

func flags(pattern *regexp.Regexp, text []byte) (names []string) {
	for _, match := range pattern.FindAllSubmatch(text, -1) {
		names = append(names, string(match[1]))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
