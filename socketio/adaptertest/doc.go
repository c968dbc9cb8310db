// Package adaptertest checks that an Adapter does what socketio expects of it. Run is the suite; Bus joins servers of one
// process, for tests of whatever runs on several.
package adaptertest
