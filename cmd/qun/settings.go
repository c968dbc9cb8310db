package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// settingsFile is the path of a YAML file with settings: one level of keys, named as the flags are.
type settingsFile string

// settingError is an error in a file or a variable: it says where, so a hint at --help would only be in the way.
type settingError struct{ message string }

func (e *settingError) Error() string { return e.message }

func settingErrorf(format string, args ...any) error {
	return &settingError{fmt.Sprintf(format, args...)}
}

// variable is the name of the environment variable of a flag.
func variable(flag string) string {
	return "QUN_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// environment resolves flags from QUN_… variables. An empty variable counts as absent.
func environment(lookup func(string) (string, bool)) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if flag.Name == "help" {
			return nil, nil
		}
		value, _ := lookup(variable(flag.Name))
		if value == "" {
			return nil, nil
		}
		return value, nil
	})
}

// AfterApply-time is too late for a file, so it is read as soon as its name is known, from a flag or a variable, and
// before any other setting is resolved.
func (c *cli) BeforeResolve(k *kong.Kong, ctx *kong.Context, m Machine) error {
	name := fileName(ctx, m)
	if name == "" {
		return nil
	}
	values, err := readSettings(name, settingNames(k.Model))
	if err != nil {
		return err
	}
	ctx.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if set, _ := m.LookupEnv(variable(flag.Name)); set != "" {
			return nil, nil // the last resolver wins, and the environment is stronger than the file
		}
		if value, ok := values[flag.Name]; ok {
			return value, nil
		}
		return nil, nil
	}))
	return nil
}

// fileName is the value of --config, else of QUN_CONFIG.
func fileName(ctx *kong.Context, m Machine) string {
	for _, flag := range ctx.Flags() {
		if flag.Name != "config" {
			continue
		}
		if name, _ := ctx.FlagValue(flag).(settingsFile); name != "" {
			return string(name)
		}
	}
	name, _ := m.LookupEnv(variable("config"))
	return name
}

// given says of each flag that was not left to its default where it was given, as people would look for it.
func given(ctx *kong.Context, m Machine) map[string]string {
	all := map[string]string{}
	for _, step := range ctx.Path {
		if step.Flag == nil {
			continue
		}
		name := step.Flag.Name
		set, _ := m.LookupEnv(variable(name))
		switch {
		case !step.Resolved:
			all[name] = "--" + name
		case set != "":
			all[name] = variable(name)
		default:
			all[name] = name + " in " + filepath.Base(fileName(ctx, m))
		}
	}
	return all
}

// settingNames are the flags of the server: what a file may set.
func settingNames(app *kong.Application) []string {
	var names []string
	for _, node := range app.Children {
		if node.Name != "serve" {
			continue
		}
		for _, flag := range node.Flags {
			names = append(names, flag.Name)
		}
	}
	return names
}

// readSettings reads a file into values that flags are parsed from. Every mistake names file, line and remedy.
func readSettings(name string, known []string) (map[string]any, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, settingErrorf("--config %s: there is no such file", name)
	}
	if err != nil {
		return nil, settingErrorf("--config: %v", err)
	}
	defer file.Close()
	var document yaml.Node
	switch err := yaml.NewDecoder(file).Decode(&document); {
	case errors.Is(err, io.EOF): // an empty file sets nothing
		return nil, nil
	case err != nil:
		return nil, settingErrorf("%s: %s", name, strings.TrimPrefix(oneLine(err), "yaml: "))
	}
	return settingsOf(name, document.Content[0], known)
}

func settingsOf(name string, root *yaml.Node, known []string) (map[string]any, error) {
	if root.Kind != yaml.MappingNode {
		if root.Tag == "!!null" { // nothing but comments
			return nil, nil
		}
		return nil, settingErrorf("%s:%d: lines of the form \"listen: localhost:3000\" are expected", name, root.Line)
	}
	values := map[string]any{}
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if !slices.Contains(known, key.Value) {
			return nil, settingErrorf("%s:%d: there is no setting %q; there are %s", name, key.Line, key.Value, strings.Join(known, ", "))
		}
		if _, twice := values[key.Value]; twice {
			return nil, settingErrorf("%s:%d: %s is set twice", name, key.Line, key.Value)
		}
		setting, err := settingValue(value)
		if err != nil {
			return nil, settingErrorf("%s:%d: %s: %v", name, value.Line, key.Value, err)
		}
		values[key.Value] = setting
	}
	return values, nil
}

// settingValue is a value or a list of values, as text: the flags parse it as they parse the command line.
func settingValue(value *yaml.Node) (any, error) {
	switch value.Kind {
	case yaml.ScalarNode:
		return value.Value, nil
	case yaml.AliasNode:
		return settingValue(value.Alias)
	case yaml.SequenceNode:
		var items []any
		for _, item := range value.Content {
			if item.Kind != yaml.ScalarNode {
				return nil, errors.New("a list of plain values is expected")
			}
			items = append(items, item.Value)
		}
		return items, nil
	}
	return nil, errors.New("a value or a list of values is expected")
}
