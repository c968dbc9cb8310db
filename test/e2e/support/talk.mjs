/** A conversation as people have it, in either language; {board} is where the page stands that it links to. */
export const talk = {
  'zh-CN': {
    me: '小满', group: '发布列车', topic: '周四发车', announcement: '周四 16:00 发车，只带走通过的。', others: ['大厅', '读书会'], guest: '路过的猫', members: { 苏禾: 'suhe', 林晚: 'linwan', 阿澈: 'ache' }, boss: '北川', find: '回滚', nothing: '没有的词', reason: '广告',
    said: [
      ['苏禾', '0.9 的候选版本搭好了，在测试间跑了一夜：两万条消息，一条没丢。'],
      ['林晚', '发车前还差两件：迁移脚本的回滚，和弱网重连的那条提示。'],
      ['阿澈', '> 迁移脚本的回滚\n回滚我来。先停写，再往回走一步：\n```sql\nupdate epoch set frozen = true;   -- 先停写\ncall migrate_down(\'0009_rev\');\n```'],
      ['小满', '那提示归我。我想写「已重连，补回 37 条」，不写「网络异常」。'],
      ['小满', '@林晚 这样够不够让人安心？'],
      ['林晚', '够了。人只想知道两件事：**回来了没有**，**丢了没有**。'],
      ['林晚', '对照表在 {board}。看完回我一声。'],
      ['路过的猫', '刚扫码进来的。手机开了一会儿飞行模式，关掉以后自己补齐了。'],
    ],
    typo: '多写了一句', wrong: '发错地方了', picture: '图表.png', file: '性能对照.md', elsewhere: '晚饭前我把迁移跑完', offline: ['进隧道前先发这一句。', '出来以后它应该自己就发出去了。'],
    private: '夜航船', club: '散步社', around: '露营的人',
    extreme: { room: '一个名字长得很、长到一行写不下、还要再长一点的房间', name: '名字也很长的一位过路人', word: 'https://example.invalid/' + 'donaudampfschifffahrtsgesellschaft'.repeat(5), list: '### 出发前\n1. 停写\n2. 迁移，用 `migrate --to 9`\n   - 慢的表先来\n   - *别忘了*备份\n3. 放行\n\n> 谁都可以喊停。' },
    alone: ['对照表看到了吗？', '看到了，晚上细看。'], hook: '构建机', board: { name: '看板', site: '测试间', title: '0.9 与 0.8 的性能对照', about: '两万条消息，跑了一夜，一条没丢。' }, bot: '值班员', word: '广告',
  },
  'en-US': {
    me: 'Wren', group: 'Release train', topic: 'Leaves on Thursdays', announcement: 'Leaving Thursday at 16:00, with what has passed.', others: ['Lobby', 'Reading club'], guest: 'Stray Cat', members: { Ines: 'ines', Mara: 'mara', Kofi: 'kofi' }, boss: 'Pavel', find: 'migration', nothing: 'nowhere', reason: 'An advertisement',
    said: [
      ['Ines', 'The 0.9 candidate is built. It ran overnight in the test room: twenty thousand messages, none lost.'],
      ['Mara', 'Two things left before we leave: a way back for the migration, and the line we show while reconnecting.'],
      ['Kofi', '> a way back for the migration\nI’ll take the way back. Freeze writes, then one step down:\n```sql\nupdate epoch set frozen = true;   -- freeze\ncall migrate_down(\'0009_rev\');\n```'],
      ['Wren', 'Then the line is mine. “Back: 37 new, nothing lost”, rather than “Network error”.'],
      ['Wren', '@Mara is that calm enough?'],
      ['Mara', 'It is. People want to know two things: **are we back**, and **is anything gone**.'],
      ['Mara', 'The table is at {board}. Tell me when you’ve seen it.'],
      ['Stray Cat', 'Just walked in by the link. My phone was in flight mode for a while, and it caught up by itself.'],
    ],
    typo: 'One word too many', wrong: 'The wrong room', picture: 'plot.png', file: 'measurements.md', elsewhere: 'I will finish the migration before dinner', offline: ['One more before the tunnel.', 'It should go out by itself when we are through.'],
    private: 'Night ferry', club: 'Walking club', around: 'Campers',
    extreme: { room: 'A room whose name goes on and on until no line can hold it', name: 'Somebody with quite a long name', word: 'https://example.invalid/' + 'donaudampfschifffahrtsgesellschaft'.repeat(5), list: '### Before we leave\n1. Freeze writes\n2. Migrate, with `migrate --to 9`\n   - the slow tables first\n   - *mind* the backup\n3. Let go\n\n> Anybody may call it off.' },
    alone: ['Have you seen the table?', 'I have. I’ll read it tonight.'], hook: 'Build machine', board: { name: 'Board', site: 'Test room', title: '0.9 beside 0.8, measured', about: 'Twenty thousand messages, one night, none lost.' }, bot: 'Night watch', word: 'advert',
  },
}
