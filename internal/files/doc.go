// Package files keeps what people upload: the bytes, what they are, and small pictures of pictures.
//
// Everything lies below one folder, and is reached through os.Root alone, so no name leads out of it:
//
//	kept/ab/<id>     a file as it was uploaded, a picture without what is not the picture; ab are the last two digits of its id
//	thumbs/ab/<id>   a small picture of it, if it is a picture
//	avatars/ab/<id>  a picture of a user or a group
//	coming/<random>  what is being written
//
// A file is written and synced in coming, and renamed when it is whole: whatever happens meanwhile, what can be opened is
// complete. What stays behind in coming after a crash goes at the next start.
//
// What a file is, its first bytes say, never its uploader. A picture is decoded only if its header promises few enough
// pixels, and only so many are decoded at the same time. Small pictures are drawn anew. Of what a JPEG, PNG or WebP tells
// beside the picture (where and when it was taken, with what) nothing is kept but which side is up; its pixels stay as
// they were.
//
// # Concurrency
//
// A Store may be used by many goroutines at once.
package files
