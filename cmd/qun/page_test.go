package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

const (
	configurationPage = "../../docs/configuration.md"
	tableBegins       = "<!-- The table is made from the flags: go test ./cmd/qun -run TestConfigurationPage -update -->\n"
	tableEnds         = "<!-- The end of the table. -->\n"
)

// The page about settings has every flag of the server, in the words of its help.
func TestConfigurationPageIsMadeFromTheFlags(t *testing.T) {
	text, err := os.ReadFile(configurationPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), tableBegins)
	table, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		t.Fatal("the table is not marked")
	}
	want := settingsTable(t)
	if *update {
		if err := os.WriteFile(configurationPage, []byte(before+tableBegins+want+tableEnds+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want {
		t.Errorf("make it anew with -update: it should be\n%s", want)
	}
}

func settingsTable(t *testing.T) string {
	t.Helper()
	parser, err := kong.New(new(cli))
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| flag | variable | default | |\n|---|---|---|---|\n")
	flags := parser.Model.Flags
	for _, command := range parser.Model.Children {
		if command.Name == "serve" {
			flags = append(flags, command.Flags...)
		}
	}
	for _, f := range flags {
		if f.Name != "help" {
			fmt.Fprintf(&table, "| `%s` | `%s` | %s | %s |\n", usage(f), variable(f.Name), codeOf(f), strings.ReplaceAll(f.Help, "|", "\\|"))
		}
	}
	return table.String()
}

// usage is the flag with what it takes.
func usage(f *kong.Flag) string {
	switch {
	case f.Enum != "":
		return "--" + f.Name + " " + strings.ReplaceAll(f.Enum, ",", "\\|")
	case f.IsBool():
		return "--" + f.Name
	}
	return "--" + f.Name + " " + f.PlaceHolder
}

func codeOf(f *kong.Flag) string {
	if f.HasDefault {
		return "`" + f.Default + "`"
	}
	return ""
}
