package gateway_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"qun/internal/gateway"
)

// described is what the tests read of the AsyncAPI document.
type described struct {
	AsyncAPI   string
	Operations map[string]struct {
		Action string
		Reply  *struct{ Messages []any }
	}
	Components struct {
		Messages map[string]struct {
			Payload struct {
				Ref string `json:"$ref"`
			}
		}
		Schemas map[string]struct {
			Enum       []string
			Properties map[string]any
		}
	}
}

func describedBy(t *testing.T, g *gateway.Gateway) (doc described, tree any) {
	t.Helper()
	text := g.AsyncAPI()
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	return doc, tree
}

func TestEveryRequestIsDescribed(t *testing.T) {
	h := open(t, gateway.Config{Build: "1.2.3"})
	doc, _ := describedBy(t, h.gateway)
	for _, name := range h.gateway.Requests() {
		if op := doc.Operations[name]; op.Action != "receive" || op.Reply == nil {
			t.Errorf("%s: got %+v", name, op)
		}
		if !strings.Contains(string(h.gateway.TypeScript()), "\n  "+name+": (request: ") {
			t.Errorf("%s is no event of a TypeScript client", name)
		}
	}
	for _, name := range []string{"message", "change", "heads", "me", "typing", "presence", "read"} {
		if op := doc.Operations[name+"-push"]; op.Action != "send" || op.Reply != nil {
			t.Errorf("push %s: got %+v", name, op)
		}
	}
}

// A stranger reads docs/protocol.md: it has a row for each request, which names all that the request may hold.
func TestTheDocumentationHasEveryRequest(t *testing.T) {
	h := open(t, gateway.Config{})
	doc, _ := describedBy(t, h.gateway)
	text, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range h.gateway.Requests() {
		said, found := "", false
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "`"+name+" {") || strings.Contains(line, "`"+name+"`") {
				said += line
				found = found || strings.Contains(line, "`"+name+" {")
			}
		}
		if !found {
			t.Errorf("%s is not documented", name)
			continue
		}
		payload := doc.Components.Messages[name+"-request"].Payload
		for field := range doc.Components.Schemas[strings.TrimPrefix(payload.Ref, "#/components/schemas/")].Properties {
			if !regexp.MustCompile(`\b` + field + `\b`).MatchString(said) {
				t.Errorf("%s: its %s is not documented", name, field)
			}
		}
	}
}

func TestDescriptionsStayTheSame(t *testing.T) {
	h := open(t, gateway.Config{})
	if a, b := h.gateway.AsyncAPI(), h.gateway.AsyncAPI(); !bytes.Equal(a, b) {
		t.Error("two AsyncAPI documents of one protocol")
	}
	if a, b := h.gateway.TypeScript(), h.gateway.TypeScript(); !bytes.Equal(a, b) {
		t.Error("two sets of types of one protocol")
	}
}

func TestReferencesOfTheDocumentLeadSomewhere(t *testing.T) {
	h := open(t, gateway.Config{})
	_, tree := describedBy(t, h.gateway)
	count := 0
	everyReference(tree, func(ref string) {
		count++
		at := tree
		for _, step := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			at, _ = at.(map[string]any)[step]
			if at == nil {
				t.Errorf("%s leads nowhere", ref)
				return
			}
		}
	})
	if count < 100 {
		t.Errorf("got %d references", count)
	}
}

func everyReference(node any, yield func(string)) {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			if ref, ok := value.(string); ok && key == "$ref" {
				yield(ref)
			}
			everyReference(value, yield)
		}
	case []any:
		for _, value := range node {
			everyReference(value, yield)
		}
	}
}

// A constant that is added to the chat, and whose type is on the wire, is in the documents.
func TestEnumsHaveAllConstants(t *testing.T) {
	h := open(t, gateway.Config{})
	doc, _ := describedBy(t, h.gateway)
	compared := 0
	for name, values := range constantsOfChat(t) {
		schema, onWire := doc.Components.Schemas[name]
		if !onWire || name == "UserID" { // MentionAll is a word among ids
			continue
		}
		compared++
		slices.Sort(schema.Enum)
		slices.Sort(values)
		if !slices.Equal(schema.Enum, values) {
			t.Errorf("%s: got %q, want %q", name, schema.Enum, values)
		}
	}
	if compared < 15 {
		t.Errorf("compared %d types only", compared)
	}
}

// constantsOfChat are the text constants of the chat's own types, by the names of these.
func constantsOfChat(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("../chat/*.go")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]string{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			named, typed := spec.Type.(*ast.Ident)
			literal, text := spec.Values[0].(*ast.BasicLit)
			if !typed || !text || literal.Kind != token.STRING || !ast.IsExported(spec.Names[0].Name) {
				return true
			}
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			values[named.Name] = append(values[named.Name], value)
			return true
		})
	}
	return values
}
