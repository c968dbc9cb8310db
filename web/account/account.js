// The page that takes the codes of the server: setup, invite, reset and handoff stand behind the # of its address, where no
// server sees them. Without one it signs people in, and makes accounts where everybody may have one.
'use strict';

const words = {
  en: {
    signIn: 'Sign in', register: 'Create account', setup: 'Make yourself the administrator', invite: 'Create account',
    reset: 'Choose a new password', handoff: 'Sign in on this device',
    username: 'Username', nickName: 'Nickname (optional)', password: 'Password, at least 8 characters',
    done: 'Your new password holds. Sign in with it.', offline: 'The server does not answer. Try again.', wait: 'One moment …',
  },
  zh: {
    signIn: '登录', register: '注册账号', setup: '成为管理员', invite: '注册账号', reset: '设置新密码', handoff: '在此设备登录',
    username: '用户名', nickName: '昵称（可不填）', password: '密码，至少 8 个字符',
    done: '新密码已生效，请登录。', offline: '服务器没有响应，请重试。', wait: '请稍候…',
  },
};
const language = navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
const say = (key) => words[language][key];
const at = (id) => document.getElementById(id);

// What each form asks for, and what becomes of it.
const forms = {
  signIn: { fields: ['username', 'password'], send: (f) => post('/session', f), then: enter },
  register: { fields: ['username', 'nickName', 'password'], send: (f) => post('/users', f), then: enter },
  setup: { fields: ['username', 'nickName', 'password'], send: (f, code) => post('/setup', { ...f, code }), then: enter },
  invite: { fields: ['username', 'nickName', 'password'], send: (f, invite) => post('/users', { ...f, invite }), then: enter },
  // A click is asked for: a link alone must not sign anybody in as somebody else.
  handoff: { fields: [], send: (_, handoff) => post('/session', { handoff }), then: enter },
  reset: { fields: ['password'], send: (f, code) => post('/password', { ...f, code }), then: () => show('signIn', '', say('done')) },
};

async function post(path, body) {
  let answer;
  try {
    answer = await fetch('/api/v1' + path, {
      method: 'POST', body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', 'Accept-Language': language },
    });
  } catch {
    throw new Error(say('offline'));
  }
  if (answer.ok) return;
  const refused = await answer.json().catch(() => ({}));
  throw new Error(refused.error?.message ?? say('offline'));
}

function enter() { location.replace('/'); }

function show(name, code, status = '') {
  const form = forms[name];
  at('title').textContent = document.title = at('submit').textContent = say(name);
  at('status').textContent = status;
  for (const field of ['username', 'nickName', 'password']) at(field + '-row').hidden = !form.fields.includes(field);
  const fields = at('form').elements;
  fields.password.required = form.fields.includes('password');
  fields.username.required = form.fields.includes('username');
  fields.password.autocomplete = name === 'signIn' ? 'current-password' : 'new-password';
  fields.password.minLength = name === 'signIn' ? 0 : 8;
  at('form').hidden = false;
  at('form').onsubmit = (event) => {
    event.preventDefault();
    submit(form, code);
  };
}

async function submit(form, code) {
  const given = {};
  for (const field of form.fields) {
    const value = at('form').elements[field].value;
    if (value) given[field] = value;
  }
  at('submit').disabled = true;
  at('status').textContent = say('wait');
  try {
    await form.send(given, code);
    at('form').elements.password.value = '';
    at('status').textContent = '';
    form.then();
  } catch (error) {
    at('status').textContent = error.message;
  } finally {
    at('submit').disabled = false;
  }
}

async function offer() {
  show('signIn', '');
  const session = await fetch('/api/v1/session').then((r) => r.json()).catch(() => ({}));
  if (session.registration !== 'open') return;
  for (const name of ['signIn', 'register']) {
    const button = document.createElement('button');
    button.textContent = say(name);
    button.onclick = () => show(name, '');
    at('others').append(button);
  }
}

document.documentElement.lang = language;
for (const label of document.querySelectorAll('[data-text]')) label.textContent = say(label.dataset.text);
const [kind, code] = location.hash.slice(1).split('=');
history.replaceState(null, '', location.pathname); // the code is not left in the history
if (Object.hasOwn(forms, kind) && code) show(kind, code);
else offer();
