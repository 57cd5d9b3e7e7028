/** What the scans in `golden` show: a page each in a scan of two pages, and the lines of the small pictures. */
export const scanPages = {
  zh: [
    '设备维护手册',
    '每周检查一次锅炉水压。水压低于 1.2 bar 时，打开阀门补水，直到压力表显示 1.5 bar 为止。',
    '滤芯每运行 2000 小时更换一次，备件编号为 FX-4471。燃烧器未冷却之前，严禁打开检修门。',
    '差旅报销单应当在返回后三十日内提交，逾期不予受理；住宿费每晚不超过 450 元。',
  ],
  en: [
    'Boiler Maintenance Manual',
    'Check the water pressure every week. If it drops below 1.2 bar, open the valve and refill the system until the gauge shows 1.5 bar.',
    'Replace the filter after 2000 hours of operation. The spare part number is FX-4471. Never open the burner while it is hot.',
    'Travel expenses must be claimed within thirty days. A night in a hotel costs no more than 120 euros.',
  ],
} as const

export const pictureLines = ['仓库钥匙由值班经理保管', 'The spare key hangs behind door 7'] as const
export const pictureKinds = ['png', 'jpg', 'tif', 'webp', 'gif'] as const
