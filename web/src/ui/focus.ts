/** v-focus: takes the focus when it comes into the page, where autofocus is of no more use. */
export const vFocus = { mounted: (field: HTMLElement) => field.focus() }

/** Whether a field may take the focus unasked: with a finger that would call a keyboard over half of the page. */
export const keyboarded = matchMedia('(hover: hover)').matches
