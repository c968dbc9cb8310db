// Package web holds what the server shows a browser: the built web app, the page of the smallest client, and the official
// client bundle. The files are compiled into the binary; Go alone builds it, with or without a built app.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var built embed.FS

//go:embed plain
var plain embed.FS

//go:embed account
var account embed.FS

// App is the built web app, index.html at its root, or nil while it has not been built.
func App() fs.FS { return folderWith("dist/app", "index.html") }

// Client is the official client bundle as its distribution names it: socket.io.js, socket.io.min.js, socket.io.esm.min.js,
// socket.io.msgpack.min.js and their maps; or nil while the app has not been built, which is what copies them.
func Client() fs.FS { return folderWith("dist/socket.io", "socket.io.js") }

// Plain is the page of the smallest client, index.html at its root. It needs the bundle at /socket.io/socket.io.js.
func Plain() fs.FS { return folder(plain, "plain") }

// Account is the page that takes the codes of setup, invite, reset and handoff, index.html at its root.
func Account() fs.FS { return folder(account, "account") }

func folder(files embed.FS, name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic(err) // the patterns above name the folders
	}
	return sub
}

// folderWith is the folder of the build, or nil when it lacks the file without which it is of no use.
func folderWith(folder, file string) fs.FS {
	if _, err := fs.Stat(built, folder+"/"+file); err != nil {
		return nil
	}
	sub, err := fs.Sub(built, folder)
	if err != nil {
		return nil
	}
	return sub
}
