package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"qun/internal/config"
)

// cli is the grammar of the command line.
type cli struct {
	Config settingsFile `placeholder:"FILE" help:"Read settings from this YAML file; its keys are the flags' names. Flags and the environment win over it."`

	Serve   serveCommand   `cmd:"" default:"withargs" help:"Run the server (what happens without a command)."`
	Check   checkCommand   `cmd:"" help:"Read all data and say what is wrong with it; the server may be running. The exit code is 1 if anything is."`
	Export  exportCommand  `cmd:"" help:"Write all groups, users and messages as lines of JSON; the server may be running."`
	Backup  backupCommand  `cmd:"" help:"Copy the data into a folder while the server is running."`
	Restore restoreCommand `cmd:"" help:"Bring a backup back, into a data folder without data."`
	Migrate migrateCommand `cmd:"" help:"Bring the data of an older version up to date, which serve does too; with --from and --to, move it into a PostgreSQL database."`
	Health  healthCommand  `cmd:"" help:"Ask the running server whether it can do its work. The exit code is 1 if not."`
	User    userCommand    `cmd:"" help:"Look after people: add, list, passwd, reset, disable, enable, promote, demote."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// The exit codes: of a command that went wrong, and of a command line that makes no sense.
const (
	exitFailed = 1
	exitUsage  = 2
)

// Run does what the arguments say until it is done or ctx ends, and returns the exit code. Whatever goes wrong is one
// line on Stderr.
func Run(ctx context.Context, args []string, m Machine) int {
	command, code, err := parse(args, m)
	if err == nil && command != nil {
		command.BindTo(ctx, (*context.Context)(nil))
		err = command.Run(m)
		code = exitFailed
	}
	if err != nil {
		fmt.Fprintln(m.Stderr, "qun: "+oneLine(err))
		return code
	}
	return 0
}

// parse reads arguments, environment and file. A nil command means that all is done: help was printed.
func parse(args []string, m Machine) (*kong.Context, int, error) {
	var grammar cli
	helped := false
	parser, err := kong.New(&grammar,
		kong.Name("qun"),
		kong.Description("Qun (群) is a group chat for your own machine. Settings may also come from QUN_… variables and a file."),
		kong.Writers(m.Stdout, m.Stderr),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ValueFormatter(helpWithVariable),
		kong.Bind(m),
		kong.Resolvers(environment(m.LookupEnv)),
	)
	if err != nil {
		return nil, exitFailed, fmt.Errorf("build the command line: %w", err)
	}
	command, err := parser.Parse(args)
	if helped {
		return nil, 0, nil
	}
	if err != nil {
		return nil, exitUsage, withHint(err)
	}
	return command, 0, nil
}

// withHint says how to see what is possible, unless the error knows better.
func withHint(err error) error {
	if errors.As(err, new(*settingError)) {
		return err
	}
	return fmt.Errorf("%w (qun serve --help lists what is possible)", err)
}

// oneLine keeps an error on one line, whatever its parts said.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

// helpWithVariable adds a flag's default and the name of its variable to its help.
func helpWithVariable(value *kong.Value) string {
	switch {
	case value.Flag == nil || value.Flag.Name == "help":
		return value.Help
	case value.HasDefault:
		return fmt.Sprintf("%s (default %s, $%s)", value.Help, value.Default, variable(value.Flag.Name))
	}
	return fmt.Sprintf("%s ($%s)", value.Help, variable(value.Flag.Name))
}

// serveCommand runs the server.
type serveCommand struct {
	config.Serve `embed:""`
}

// Run serves until ctx ends.
func (c *serveCommand) Run(ctx context.Context, k *kong.Context, m Machine) error {
	c.Given = given(k, m)
	return serve(ctx, &c.Serve, m)
}

// versionCommand prints the version.
type versionCommand struct{}

// Run prints one line.
func (versionCommand) Run(m Machine) error {
	_, err := fmt.Fprintln(m.Stdout, "qun", version)
	return err
}
