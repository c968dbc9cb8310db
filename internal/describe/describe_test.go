package describe_test

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"qun/internal/describe"
)

type (
	color  string
	Color  string
	Moment int64
	word   string
	Span   [2]int
)

type point struct {
	X float64 `json:"x"`
	Y float64 `json:"y,omitempty"`
}

// Tree leads back to itself.
type Tree struct {
	*point
	Y        int             `json:"y"` // hides the point's
	Color    Color           `json:"color"`
	Word     word            `json:"word,omitempty"`
	At       Moment          `json:"at,omitempty"`
	Spans    []Span          `json:"spans"`
	Children []*Tree         `json:"children,omitempty"`
	Parent   *Tree           `json:"parent" nullable:"true"`
	Counts   map[word]int    `json:"counts"`
	Settings json.RawMessage `json:"settings"`
	Secret   string          `json:"-"`
	hidden   bool            //nolint:unused // that nobody outside sees it is what is tested
}

type plantIn struct {
	Tree Tree `json:"tree"`
	Deep bool `json:"deep,omitempty"`
}

type plantOut struct {
	Tree *Tree `json:"tree"`
}

type refusal struct {
	Code color `json:"code"`
}

func protocol() *describe.Protocol {
	colors, values := describe.Enum[Color]("red", "green")
	return &describe.Protocol{
		Title: "Forest", Version: "1.0", Description: "Of trees.",
		Requests: []describe.Request{
			{Name: "plant", In: reflect.TypeFor[plantIn](), Outs: []reflect.Type{reflect.TypeFor[*plantOut](), reflect.TypeFor[point]()}},
			{Name: "fell", In: reflect.TypeFor[struct{}](), Outs: []reflect.Type{reflect.TypeFor[any]()}},
		},
		Pushes: []describe.Push{
			{Name: "grown", Payloads: []reflect.Type{reflect.TypeFor[Tree]()}},
			{Name: "fell", Payloads: []reflect.Type{reflect.TypeFor[Tree](), reflect.TypeFor[point]()}},
		},
		Refusal: reflect.TypeFor[refusal](),
		Times:   []reflect.Type{reflect.TypeFor[Moment]()},
		Enums:   map[reflect.Type][]string{colors: values},
	}
}

func TestTypeScript(t *testing.T) { wantGolden(t, "forest.d.ts", protocol().TypeScript()) }

func TestAsyncAPI(t *testing.T) {
	var tree any
	if err := json.Unmarshal(protocol().AsyncAPI(), &tree); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(tree, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	wantGolden(t, "forest.asyncapi.json", append(text, '\n'))
}

// wantGolden compares with a file; QUN_GOLDEN=write writes it anew.
func wantGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if os.Getenv("QUN_GOLDEN") == "write" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

type selfmade struct{}

func (selfmade) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

// Point is another one's name.
type Point struct{ Z int }

func TestWhatCannotBeDescribedPanics(t *testing.T) {
	for name, in := range map[string]reflect.Type{
		"JSON of its own": reflect.TypeFor[struct{ A selfmade }](),
		"no JSON":         reflect.TypeFor[struct{ A chan int }](),
		"one name for two": reflect.TypeFor[struct {
			A point
			B Point
		}](),
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it was described")
				}
			}()
			p := protocol()
			p.Requests = append(p.Requests, describe.Request{Name: "x", In: in})
			p.TypeScript()
		})
	}
}
