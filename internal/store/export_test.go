package store

// SQLUnlist is for a look at its plan.
const SQLUnlist = sqlUnlist
