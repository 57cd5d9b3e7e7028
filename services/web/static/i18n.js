const texts = {
  en: {
    skip: 'Skip to the question',
    documents: 'Documents',
    newChat: 'New chat',
    welcome: 'Ask your documents',
    welcomeText: 'Each answer says where it comes from. Open a source to read the passage and the file.',
    conversation: 'Conversation',
    question: 'Question',
    placeholder: 'Ask a question',
    ask: 'Ask',
    stop: 'Stop',
    keyNeeded: 'This server wants a key',
    useKey: 'Use it',
    answering: 'Answering …',
    reconnecting: 'The connection was cut; reconnecting …',
    done: 'The answer is complete.',
    stopped: 'Stopped.',
    interrupted: 'The answer was interrupted; what was said until then is kept.',
    failed: 'The answer failed.',
    sources: 'Sources',
    source: 'Source',
    page: 'page',
    openFile: 'Open the original',
    changed: 'The file has changed since.',
    gone: 'The file is no longer there.',
    unverified: 'not found in the source word for word',
    tryAgain: 'Ask again',
    waitSeconds: 'Try again in {n} s.',
    offline: 'The server does not answer.',
    noDocuments: 'No documents yet: put files into the folder.',
    otherLanguage: '中文',
    states: { queued: 'queued', indexing: 'indexing', ready: 'ready', failed: 'failed', skipped: 'skipped', removed: 'removed' },
  },
  zh: {
    skip: '跳到提问',
    documents: '文档',
    newChat: '新对话',
    welcome: '向你的文档提问',
    welcomeText: '每个回答都注明出处。展开来源即可查看原文段落并打开文件。',
    conversation: '对话',
    question: '问题',
    placeholder: '请输入问题',
    ask: '提问',
    stop: '停止',
    keyNeeded: '此服务器需要密钥',
    useKey: '使用',
    answering: '正在回答……',
    reconnecting: '连接中断，正在重新连接……',
    done: '回答完毕。',
    stopped: '已停止。',
    interrupted: '回答被中断，已有内容已保留。',
    failed: '回答失败。',
    sources: '来源',
    source: '来源',
    page: '第 {n} 页',
    openFile: '打开原文件',
    changed: '该文件之后有改动。',
    gone: '该文件已不存在。',
    unverified: '来源中未逐字找到',
    tryAgain: '重新提问',
    waitSeconds: '请在 {n} 秒后重试。',
    offline: '服务器没有响应。',
    noDocuments: '还没有文档：请把文件放入文件夹。',
    otherLanguage: 'English',
    states: { queued: '排队中', indexing: '索引中', ready: '就绪', failed: '失败', skipped: '已跳过', removed: '已移除' },
  },
}

const KEY = 'docent-language'
const chosen = localStorage.getItem(KEY)
export let language = chosen === 'zh' || chosen === 'en' ? chosen : navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'

export function t(name, n) {
  const text = texts[language][name]
  return typeof text === 'string' && n !== undefined ? text.replace('{n}', String(n)) : text
}

export function pageLabel(n) {
  return language === 'zh' ? t('page', n) : `${t('page')} ${n}`
}

/** Fills the fixed texts of the page. */
export function translatePage() {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = t(element.dataset.text)
  for (const element of document.querySelectorAll('[data-label]')) element.setAttribute('aria-label', t(element.dataset.label))
  for (const element of document.querySelectorAll('[data-placeholder]')) element.placeholder = t(element.dataset.placeholder)
  const button = document.getElementById('language')
  button.textContent = t('otherLanguage')
  button.lang = language === 'zh' ? 'en' : 'zh'
}

export function switchLanguage() {
  language = language === 'zh' ? 'en' : 'zh'
  localStorage.setItem(KEY, language)
  translatePage()
}
