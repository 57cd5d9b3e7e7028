import type { Language } from '../index/chunk-index.ts'

/**
 * Questions about anything: a chunk that is near to all of them is near to every question, and says nothing by being near.
 * Written for this; none is of an evaluation set.
 */
export const everydayQuestions: Record<Language, readonly string[]> = {
  zh: [
    '这部电影的导演是谁？',
    '长城有多长？',
    '怎样煮米饭才好吃？',
    '明天会下雨吗？',
    '这支球队去年得了几个冠军？',
    '光的速度是多少？',
    '感冒了应该吃什么药？',
    '唐朝是哪一年建立的？',
    '这家公司的总部在哪里？',
    '如何办理护照？',
    '世界上最大的动物是什么？',
    '这本小说讲了什么故事？',
    '手机没有信号怎么办？',
    '从北京到上海坐火车要多久？',
    '银行几点开门？',
    '为什么树叶会变黄？',
  ],
  en: [
    'Who directed this film?',
    'How tall is the highest mountain?',
    'How do I make pancakes?',
    'Will it rain tomorrow?',
    'How many titles did the team win last year?',
    'What is the speed of sound?',
    'Which medicine helps against a cold?',
    'When did the empire fall?',
    'Where is the company based?',
    'How do I renew a passport?',
    'What is the largest animal on earth?',
    'What is the novel about?',
    'What should I do when my phone has no signal?',
    'How long is the train ride to London?',
    'When does the bank open?',
    'Why do leaves change colour?',
  ],
}
