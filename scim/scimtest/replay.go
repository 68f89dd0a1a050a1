package scimtest

import (
	"embed"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/transcript"
)

//go:embed transcripts/*.jsonl
var transcriptFiles embed.FS

// Transcripts returns the conversations of identity providers that Muster is held
// to: Entra ID with and without its flag aadOptscim062020, Okta, JumpCloud,
// Google, and edge cases that several have. docs/clients.md says what is in them
// and where it comes from.
func Transcripts() fs.FS {
	fsys, err := fs.Sub(transcriptFiles, "transcripts")
	if err != nil {
		panic(err) // the name is a constant
	}
	return fsys
}

// Replay sends the transcripts of fsys, files that end in ".jsonl", to a server
// and checks the answers, each in a subtest that is named by its file:
//
//	scimtest.Replay(t, target, scimtest.Transcripts())
//
// A failure of a step whose exact bytes are a guess says so. [Target.Except] takes
// names of transcripts here, such as "okta".
//
// A transcript is a text of one JSON object a line, each a request as a client
// sends it and what its answer must be; docs/clients.md describes the format, for
// transcripts of your own.
func Replay(t *testing.T, target Target, fsys fs.FS) {
	t.Helper()
	client, opts, err := target.prepare()
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(fsys, "*.jsonl")
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no transcripts: %v", err)
	}
	for _, name := range names {
		short := strings.TrimSuffix(path.Base(name), ".jsonl")
		t.Run(short, func(t *testing.T) {
			if reason, ok := target.Except[short]; ok {
				t.Skip(reason)
			}
			steps, err := transcript.Load(fsys, name)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range transcript.Replay(t.Context(), client, steps, opts) {
				t.Error(f.Error())
			}
		})
	}
}
