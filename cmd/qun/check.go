package main

import (
	"context"
	"fmt"
	"io"

	"qun/internal/config"
	"qun/internal/store"
)

// checkCommand reads all data and says what is wrong with it.
type checkCommand struct {
	config.Storage
}

// Run prints a report; damage is an error.
func (c *checkCommand) Run(ctx context.Context, m Machine) (err error) {
	a, err := openArchive(ctx, &c.Storage)
	if err != nil {
		return err
	}
	defer a.Close()
	report, err := a.Check(ctx)
	if err != nil {
		return explainArchive(&c.Storage, err)
	}
	return tell(m.Stdout, report)
}

func tell(out io.Writer, r *store.Report) error {
	fmt.Fprintf(out, "Read %d users, %d groups, %d messages.\n", r.Users, r.Groups, r.Messages)
	for _, note := range r.Notes {
		fmt.Fprintf(out, "Note: %s.\n", note)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(out, "Wrong: %s (%d).\n", f.What, f.Count)
		for _, where := range f.Examples {
			fmt.Fprintf(out, "  %s\n", where)
		}
		if more := f.Count - len(f.Examples); more > 0 {
			fmt.Fprintf(out, "  and %d more\n", more)
		}
	}
	if len(r.Findings) > 0 {
		return fmt.Errorf("the data is not whole: restore a backup, or ask for help with what stands above")
	}
	fmt.Fprintln(out, "All is well.")
	return nil
}
