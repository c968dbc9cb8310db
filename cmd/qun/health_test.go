package main_test

import "testing"

func TestARunningServerSaysThatItIsWell(t *testing.T) {
	folder := t.TempDir()
	p := start(t, "--data", folder)
	if code, out, err := run(t, nil, "health", "--data", folder); code != 0 || out != "ok\n" {
		t.Errorf("got %d %q %q", code, out, err)
	}
	p.end(t)
	code, _, err := run(t, nil, "health", "--data", folder)
	wantComplaint(t, code, err, folder, "qun serve", "--data")
}
