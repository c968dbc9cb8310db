import { ref } from 'vue'

/** Somebody is on the way in: the first screen stays until the room is open, or says why it is not. */
export const entering = ref(false)
