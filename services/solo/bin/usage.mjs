export const usage = `npm start -- [FOLDER] [--port N] [--data DIR] [--host H]

  FOLDER      the folder of documents   (DOCENT_FOLDER; default: the sample folder documents/)
              文档文件夹（默认：示例文件夹 documents/）
  --port N    the port of the page and the API   (PORT; default: 8080)
              网页和 API 的端口（默认：8080）
  --data DIR  where databases, the index, the log and the admin key are kept
              (DOCENT_DATA; default: .docent/ in the clone, a folder of its own in it for each FOLDER)
              数据库、索引、日志和管理密钥的位置（默认：克隆目录下的 .docent/）
  --host H    the address to listen on   (DOCENT_HOST; default: 127.0.0.1, this machine only)
              监听的地址（默认：127.0.0.1，只限本机）

  All other settings are environment variables: see "Configuration" in README.md.
  其他设置都是环境变量：见 README.zh-CN.md 的“配置”。
`
