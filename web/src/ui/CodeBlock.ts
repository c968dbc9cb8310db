import { defineComponent, h, shallowRef, type VNodeArrayChildren } from 'vue'
import { colour } from './highlight'

/** A block of code: plain at once, in colours as soon as they are there, at the same size. */
export const CodeBlock = defineComponent({
  props: { code: { type: String, required: true }, language: String },
  setup(props) {
    const coloured = shallowRef<VNodeArrayChildren>()
    if (props.language) colour(props.language, props.code).then((nodes) => (coloured.value = nodes), () => undefined) // plain is good enough
    return () => h('div', { class: 'code' }, [
      h('pre', { tabindex: 0 }, [h('code', coloured.value ?? props.code)]),
      props.language ? h('span', { class: 'code-language' }, props.language) : null,
    ])
  },
})
