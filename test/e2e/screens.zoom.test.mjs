import { barriers, overflow } from './support/looks.mjs'
import { screens } from './support/screens.mjs'

screens('screens at 200 %', (tour) => {
  tour('at 200 % the same page of 1280 × 800 has no barrier and loses nothing',
    { locale: 'en-US', viewport: { width: 640, height: 400 }, zoom: 2 }, barriers('light'), overflow)
})
