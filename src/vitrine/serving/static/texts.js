// What the page says, in English and Chinese.

const KEPT = "vitrine-language";

const TEXTS = {
  en: {
    title: "What does this product look like?",
    lead: "See the style and the category of product images, how sure the model is, and where it looked.",
    language: "Language",
    pick: "Choose images",
    hint: (most) => `or drop them anywhere here, or paste them. JPEG, PNG, WebP; up to ${most}.`,
    progress: (done, all) => (done < all ? `${done} of ${all} done …` : all === 1 ? "1 image done" : `${all} images done`),
    tooMany: (most, left) => `The page shows ${most} images at most; ${left} ${left === 1 ? "was" : "were"} left out. Remove some first.`,
    nothingPasted: "There is no image on the clipboard.",
    clear: "Remove all",
    cleared: "All images were removed.",
    results: "Results",
    waiting: "Waiting for the answer …",
    noPreview: "This browser cannot show the image",
    style: "Style",
    category: "Category",
    unsure: "unsure",
    unsureMeans: "“Unsure” means: with so low a probability, answers were wrong too often when the model was tested. Look yourself.",
    said: (name, answers) => `${name}: ${answers.join("; ")}`,
    bars: (answers) => answers.join(", "),
    heatMap: "Heat map",
    off: "Off",
    opacity: "Strength",
    mapWaits: "Drawing the heat map …",
    mapShows: (head, label) => `Bright: what speaks for “${label}” (${head})`,
    again: "Try again",
    copy: "Copy as JSON",
    copied: "Copied",
    json: "The answer as JSON",
    remove: "Remove",
    removes: (name) => `Remove ${name}`,
    model: "The model",
    api: "Description of the API",
    version: "Version",
    digest: "Bundle digest",
    data: "Data version",
    commit: "Git commit",
    run: "MLflow run",
    created: "Exported",
    tellsStyles: "Styles it knows",
    tellsCategories: "Categories it knows",
    enterKey: "Enter API key",
    key: "API key",
    keyNeeded: "This service asks for an API key",
    keyWrong: "The service does not accept this key.",
    keyKept: "Kept until this tab is closed, and sent to this service only.",
    use: "Use this key",
    cancel: "Cancel",
    faults: {
      0: "The service cannot be reached, or the file cannot be read.",
      401: "The service asks for an API key.",
      408: "The image took too long to arrive.",
      409: "This model draws no heat maps.",
      413: "The file is larger than the service takes. Send a smaller one.",
      415: "The service takes images only.",
      422: "This image cannot be used.",
      503: "The service is busy. Try again in a moment.",
      504: "The answer took too long. Try again in a moment.",
      other: "The service failed.",
    },
  },
  zh: {
    title: "这件商品是什么风格？",
    lead: "查看商品图片的风格与类别、模型的把握程度，以及它关注的位置。",
    language: "语言",
    pick: "选择图片",
    hint: (most) => `也可以把图片拖到页面任意位置，或直接粘贴。支持 JPEG、PNG、WebP，最多 ${most} 张。`,
    progress: (done, all) => (done < all ? `已完成 ${done} / ${all} …` : `${all} 张图片已完成`),
    tooMany: (most, left) => `页面最多显示 ${most} 张图片，有 ${left} 张未加入。请先移除一些。`,
    nothingPasted: "剪贴板中没有图片。",
    clear: "全部移除",
    cleared: "图片已全部移除。",
    results: "结果",
    waiting: "正在等待结果 …",
    noPreview: "浏览器无法显示此图片",
    style: "风格",
    category: "类别",
    unsure: "不确定",
    unsureMeans: "“不确定”表示：在测试中，概率这么低的答案出错过多，请人工确认。",
    said: (name, answers) => `${name}：${answers.join("；")}`,
    bars: (answers) => answers.join("，"),
    heatMap: "热力图",
    off: "关闭",
    opacity: "强度",
    mapWaits: "正在生成热力图 …",
    mapShows: (head, label) => `亮处：支持“${label}”（${head}）的依据`,
    again: "重试",
    copy: "复制 JSON",
    copied: "已复制",
    json: "JSON 格式的结果",
    remove: "移除",
    removes: (name) => `移除 ${name}`,
    model: "模型",
    api: "API 说明",
    version: "版本",
    digest: "模型包摘要",
    data: "数据版本",
    commit: "Git 提交",
    run: "MLflow 运行",
    created: "导出时间",
    tellsStyles: "可识别的风格",
    tellsCategories: "可识别的类别",
    enterKey: "输入 API 密钥",
    key: "API 密钥",
    keyNeeded: "此服务需要 API 密钥",
    keyWrong: "服务不接受此密钥。",
    keyKept: "仅保留到此标签页关闭，且只发送给本服务。",
    use: "使用此密钥",
    cancel: "取消",
    faults: {
      0: "无法连接服务，或无法读取文件。",
      401: "服务需要 API 密钥。",
      408: "图片上传时间过长。",
      409: "此模型不提供热力图。",
      413: "文件超过了服务允许的大小，请换用较小的图片。",
      415: "服务只接受图片。",
      422: "无法使用此图片。",
      503: "服务繁忙，请稍后重试。",
      504: "等待结果超时，请稍后重试。",
      other: "服务出现故障。",
    },
  },
};

let language = remembered() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

// A browser that keeps nothing throws where storage is touched; the page works all the same.
function remembered() {
  try {
    const kept = localStorage.getItem(KEPT);
    return Object.hasOwn(TEXTS, kept) ? kept : null;
  } catch {
    return null;
  }
}

export function currentLanguage() {
  return language;
}

export function chooseLanguage(chosen) {
  language = chosen;
  try {
    localStorage.setItem(KEPT, chosen);
  } catch {
    // Chosen for this visit only.
  }
}

export function text(name, ...values) {
  const found = TEXTS[language][name];
  return typeof found === "function" ? found(...values) : found;
}

// What a refusal with an HTTP status means; status 0 is no answer at all.
export function fault(status) {
  const { faults } = TEXTS[language];
  return faults[status] ?? faults.other;
}

export function percent(share) {
  const digits = share > 0 && share < 0.01 ? 1 : 0;
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: digits }).format(share);
}

export function moment(iso) {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "long", timeStyle: "short" }).format(new Date(iso));
}

export function locale() {
  return language === "zh" ? "zh-CN" : "en";
}

// Puts the texts of the current language wherever `data-text` and `data-label` name one.
export function translate(root, values = {}) {
  for (const node of root.querySelectorAll("[data-text]")) {
    node.textContent = text(node.dataset.text, ...(values[node.dataset.text] ?? []));
  }
  for (const node of root.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", text(node.dataset.label));
  }
}
