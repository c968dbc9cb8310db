package main

import _ "embed"

// method tells how everything is measured; it closes the report.
//
//go:embed method.md
var method string
