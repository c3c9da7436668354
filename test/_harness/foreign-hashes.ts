/** A hash that another program has made of a password. */
export interface ForeignHash {
  readonly family: string;
  /** The program, with its version. */
  readonly madeBy: string;
  readonly password: string;
  /** As the program writes it. */
  readonly text: string;
}

/** Hashes by other programs, in each of the spellings that are taken. */
export const foreignHashes: readonly ForeignHash[] = [
  {
    family: "argon2id",
    madeBy: "argon2-cffi 25.1.0",
    password: "correct horse",
    text: "$argon2id$v=19$m=256,t=2,p=1$yQpHSpkvtVluxjBl41BmgQ$1g6nMbzfmr+UYP3a0lMWAEGBh9p0Q2GigoEkXMCx0so",
  },
  {
    family: "argon2id",
    madeBy: "PHP 8.2.36, password_hash",
    password: "correct horse",
    text: "$argon2id$v=19$m=256,t=2,p=1$Nm9uT0prdHBGQW1HSVU3cg$NHJVU+ZEZnE3OafsX0mxvxVJJfq952rk6Gla4hNtROI",
  },
  {
    family: "argon2i",
    madeBy: "argon2-cffi 25.1.0",
    password: "correct horse",
    text: "$argon2i$v=19$m=256,t=2,p=1$B0ikNEneScJ/AQ/ETDaG2Q$DeCagTgIByFkNjG9K03ito+vSceackc3DCTU7rW/SDE",
  },
  {
    family: "argon2i",
    madeBy: "argon2-cffi 25.1.0",
    password: "pässwörd ☃",
    text: "$argon2i$v=19$m=64,t=1,p=4$MBB4dpCBX7o$V6YkIuWJdqiA3FV1QPM8mg",
  },
  {
    family: "argon2i",
    madeBy: "PHP 8.2.36, password_hash",
    password: "correct horse",
    text: "$argon2i$v=19$m=256,t=2,p=1$VUlIS0NtZ0QzbU5kemdNdw$/FGRREKDL+yL3ll7f79yAb7W8Eub1i8bXS811sRVVDk",
  },
  {
    family: "argon2d",
    madeBy: "argon2-cffi 25.1.0",
    password: "correct horse",
    text: "$argon2d$v=19$m=256,t=2,p=1$XX1R9ttLpBrVZcPz5ba+Cg$JIAvA/u71aXXm6JrK+74+GNzMUqnlGGwcIcQEje3wrY",
  },
  {
    family: "bcrypt",
    madeBy: "Python bcrypt 5.0.0",
    password: "correct horse",
    text: "$2a$04$vNDat3/0nv0DqnIQ14CZGexCi/Pjpgyc.6WALwNgSDpt61/qdSbIG",
  },
  {
    family: "bcrypt",
    madeBy: "Python bcrypt 5.0.0",
    password: "correct horse",
    text: "$2b$04$LccnSiNeqa1oARhAgR8zQesfK2wX.ZBUFFTIzJchRN8PENsNqpUNS",
  },
  {
    family: "bcrypt",
    madeBy: "Python bcrypt 5.0.0",
    password: "pässwörd ☃",
    text: "$2b$05$jALuWpyf8biXXH0BqWf8We3TfyoZgrltZLtube9Fwkr/r5dnYmo.O",
  },
  {
    family: "bcrypt",
    madeBy: "PHP 8.2.36, password_hash",
    password: "correct horse",
    text: "$2y$04$cTD3D5HfyAtuNElYwWDfsu0F.8wnRLhXyJOtKyY0rV3i39ifErK.u",
  },
  {
    family: "bcrypt",
    madeBy: "PHP 8.2.36, password_hash",
    password: "pässwörd ☃",
    text: "$2y$05$r47yJvLu2wj7YFuOsydj5O7q9rYAPH1F535niUHUhPsvkuuqtkKpS",
  },
  {
    family: "bcrypt",
    madeBy: "htpasswd of Apache 2.4.71",
    password: "correct horse",
    text: "$2y$04$WK36Y9tFxIbfZRkaGAvE2eun96NaX.OVRJW9AUsRCudiYAFFpFShu",
  },
  {
    family: "bcrypt",
    madeBy: "htpasswd of Apache 2.4.71, marked as Spring does",
    password: "correct horse",
    text: "{bcrypt}$2y$04$WK36Y9tFxIbfZRkaGAvE2eun96NaX.OVRJW9AUsRCudiYAFFpFShu",
  },
  {
    family: "scrypt",
    madeBy: "passlib 1.7.4",
    password: "correct horse",
    text: "$scrypt$ln=10,r=8,p=1$nRNCKGXMGaO0Vmqt1fq/1w$KcHX5fEhonJ1YewR/5Qt8sU28quTbrk0/95s6x67rlY",
  },
  {
    family: "scrypt",
    madeBy: "passlib 1.7.4",
    password: "pässwörd ☃",
    text: "$scrypt$ln=8,r=4,p=3$Q83cPFkuqGzw4Jq7$Y9eSw6fnELI5oMKvTXSbod5KdXDQg0AFh2mz/rZNnwU",
  },
  {
    family: "scrypt",
    madeBy: "OpenSSL 3.0.22, openssl kdf, as a PHC string",
    password: "correct horse",
    text: "$scrypt$ln=10,r=8,p=2$MDEyMzQ1Njc4OWFiY2RlZg$I4YuHpx/6xJJ4+sk74hQU+KhW++gPE8aHzXbHijxgzg",
  },
  {
    family: "pbkdf2-sha1",
    madeBy: "passlib 1.7.4",
    password: "correct horse",
    text: "$pbkdf2$1000$A6CUktL6n5PynjNmDAEgBA$EVOI/88R48dEUtGMvgsp3F0MVWE",
  },
  {
    family: "pbkdf2-sha1",
    madeBy: "passlib 1.7.4",
    password: "pässwörd ☃",
    text: "$pbkdf2$1$s0YfclN/MMs$pHNp/bzvp.lzxpFu5xufABY4c68",
  },
  {
    family: "pbkdf2-sha1",
    madeBy: "Django 5.2.19",
    password: "correct horse",
    text: "pbkdf2_sha1$1200$vMpC0Jw7hXqTkR2nZs1uYe$zwkWdxNWBgS6lXJaCni55Y7qSyE=",
  },
  {
    family: "pbkdf2-sha1",
    madeBy: "OpenSSL 3.0.22, openssl kdf, as a PHC string",
    password: "correct horse",
    text: "$pbkdf2-sha1$i=200$MDEyMzQ1Njc4OWFiY2RlZg$qV36weAd/IZMWs8P0z1R0bv+g+IQbm8Bmo9lGk9Lp4s1IULCMPIrcs1qSNZLSH31XSEYncgdxF1QpnY3bNZfuA",
  },
  {
    family: "pbkdf2-sha1",
    madeBy: "ASP.NET Core Identity, its own tests",
    password: "my password",
    text: "AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggHIVY0sdEUfdyeM+E1LtH1uJg==",
  },
  {
    family: "pbkdf2-sha1",
    madeBy: "ASP.NET Core Identity, its own tests",
    password: "my password",
    text: "ANXrDknc7fGPpigibZXXZFMX4aoqz44JveK6jQuwY3eH/UyPhvr5xTPeGYEckLxz9A==",
  },
  {
    family: "pbkdf2-sha1",
    madeBy: "ASP.NET Core Identity, its own tests",
    password: "my password",
    text: "AQAAAAAAAAD6AAAAEAhftMyfTJylOlZT+eEotFXd1elee8ih5WsjXaR3PA9M",
  },
  {
    family: "pbkdf2-sha256",
    madeBy: "passlib 1.7.4",
    password: "correct horse",
    text: "$pbkdf2-sha256$1000$UGptrdVaa42RkrI2hpByrg$ew/YOmHulVbqpkISiuq0Jl9Xd0XqIWDSboY1OPSjLhY",
  },
  {
    family: "pbkdf2-sha256",
    madeBy: "passlib 1.7.4",
    password: "pässwörd ☃",
    text: "$pbkdf2-sha256$1$V9kHvrMT3KU$5Q3WcIKZB8RUyXmhQTGm/HPn6q2Y6hHiWkDRbQZhKUI",
  },
  {
    family: "pbkdf2-sha256",
    madeBy: "Django 5.2.19",
    password: "correct horse",
    text: "pbkdf2_sha256$1200$vMpC0Jw7hXqTkR2nZs1uYe$qpTjUhQNzjKdlrB8Acit/NYIwOM9FpLe2X/fnQYbqVo=",
  },
  {
    family: "pbkdf2-sha256",
    madeBy: "Django 5.2.19",
    password: "pässwörd ☃",
    text: "pbkdf2_sha256$1$xX12$JR7BWyKzAkf0+ybXQsxxKPSriW2MyCT02UkhqLFwpQ0=",
  },
  {
    family: "pbkdf2-sha256",
    madeBy: "PHP 8.2.36, hash_pbkdf2, as a PHC string",
    password: "correct horse",
    text: "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$BBs+1+PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzM",
  },
  {
    family: "pbkdf2-sha256",
    madeBy: "OpenSSL 3.0.22, openssl kdf, as a PHC string",
    password: "correct horse",
    text: "$pbkdf2-sha256$i=275$MDEyMzQ1Njc4OWFiY2RlZg$ZIPDLC3fFSqZpx2c+w3/SGUnSsscTSKhDNfAaImihuFCmjhtfaxBL8mJsF5lWmu4gf2WdK4a5NpAQKuiVmqpzw",
  },
  {
    family: "pbkdf2-sha256",
    madeBy: "ASP.NET Core Identity, its own tests",
    password: "my password",
    text: "AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==",
  },
  {
    family: "pbkdf2-sha256",
    madeBy: "ASP.NET Core Identity, its own tests",
    password: "my password",
    text: "AQAAAAEAA9CQAAAAIESkQuj2Du8Y+kbc5lcN/W/3NiAZFEm11P27nrSN5/tId+bR1SwV8CO1Jd72r4C08OLvplNlCDc3oQZ8efcW+jQ=",
  },
  {
    family: "pbkdf2-sha512",
    madeBy: "passlib 1.7.4",
    password: "correct horse",
    text: "$pbkdf2-sha512$1000$PkeI8X6PUao1BoDQGsN4Lw$SRkKrqYGdgBKZMbJtwaCJgtU1dqAVD7Bkd5PwBPE2bpc.xItVAeAYn87vQHIPYDnzAo.XrFsEkG.OnVouzlLYw",
  },
  {
    family: "pbkdf2-sha512",
    madeBy: "passlib 1.7.4",
    password: "pässwörd ☃",
    text: "$pbkdf2-sha512$1$xEvXfPpdrLM$FTypSmMEXZHUTz4vwwjjljl1kI69hR83g3KJBUv37TSaBWtBtHnRB41NXA/TlFe6IVe8yPI3kDCnttOXgrDRyw",
  },
  {
    family: "pbkdf2-sha512",
    madeBy: "OpenSSL 3.0.22, openssl kdf, as a PHC string",
    password: "correct horse",
    text: "$pbkdf2-sha512$i=2100$MDEyMzQ1Njc4OWFiY2RlZg$IqQvnqmK+ugaU+54p1lBV/2CZKR799EJXJQJaTK3szVaHXPFExDEfDChIaZWRWGfTEzziXKrulpfIA4qIyxAag",
  },
  {
    family: "pbkdf2-sha512",
    madeBy: "ASP.NET Core Identity, its own tests",
    password: "my password",
    text: "AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw",
  },
  {
    family: "pbkdf2-sha512",
    madeBy: "ASP.NET Core Identity, its own tests",
    password: "my password",
    text: "AQAAAAIAAAD6AAAAIJbVi5wbMR+htSfFp8fTw8N8GOS/Sje+S/4YZcgBfU7EQuqv4OkVYmc4VJl9AGZzmRTxSkP7LtVi9IWyUxX8IAAfZ8v+ZfhjCcudtC1YERSqE1OEdXLW9VukPuJWBBjLuw==",
  },
  {
    family: "ssha",
    madeBy: "passlib 1.7.4",
    password: "correct horse",
    text: "{SSHA}/kmGPMAEhLWtP5f86ShTQX48bZojROgd",
  },
  {
    family: "ssha",
    madeBy: "passlib 1.7.4",
    password: "pässwörd ☃",
    text: "{SSHA}6KlcIDkMGTxVftTKRLEDdCymt2cupXSOcU6Jcc7Z23sPYew9",
  },
  {
    family: "ssha",
    madeBy: "slappasswd of OpenLDAP 2.5.13",
    password: "correct horse",
    text: "{SSHA}OhhjKHuwTgjnqgNtRRjz54OOQY5T1aQY",
  },
  {
    family: "ssha256",
    madeBy: "passlib 1.7.4",
    password: "correct horse",
    text: "{SSHA256}uXJ4Uek4UKmcdxECsD2JLFsWZ9VzaWr917pL86ddbZk7h5Dy3nsvRQ==",
  },
  {
    family: "ssha256",
    madeBy: "passlib 1.7.4",
    password: "pässwörd ☃",
    text: "{SSHA256}ZJCL73gdREZYOZMsXz54zahJyE8B0sP2efuN1E9k66lkbM1ZS0nJOQcAACAkxNib",
  },
  {
    family: "ssha256",
    madeBy: "slappasswd of OpenLDAP 2.5.13, pw-sha2",
    password: "correct horse",
    text: "{SSHA256}yExg1GpGJzEtaXfBGTJ+HJ6fD0xCR4BbDSNlC9CXngLeG9DQDdL7og==",
  },
  {
    family: "ssha512",
    madeBy: "passlib 1.7.4",
    password: "correct horse",
    text: "{SSHA512}Z6Je3tvxC44gYGtsPXDZGo1mgiNbDQNiaM8vbBpfeiuG9oeeFj0m9dIuizIUYChklowuRhhHNq72Dix3WXICIRNCqNXa+z/H",
  },
  {
    family: "ssha512",
    madeBy: "passlib 1.7.4",
    password: "pässwörd ☃",
    text: "{SSHA512}8Ji5vT35zrxsMMxvMsbPCX6zeKmSP/v/m7j726MEhQoEnxrXRH+lWod4WtWPZe2+jTvZbzEWikGYOJhdCjTmVhKCkLI2JqSU0vp/z3mvtZY=",
  },
  {
    family: "ssha512",
    madeBy: "slappasswd of OpenLDAP 2.5.13, pw-sha2",
    password: "correct horse",
    text: "{SSHA512}i1r0ZMJbqdS1pJuhgUyPV89bE/qurmag4Ti4lzPo56tUa/nVPCbhWc0gWE0wqss/o6xNzX6s1r4i24r2j6d6EiWi/LkpINhH",
  },
];

/** A hash of Firebase, beside the parameters of its project. */
export interface FirebaseHash {
  readonly madeBy: string;
  readonly password: string;
  readonly signerKey: string;
  readonly saltSeparator: string;
  readonly rounds: number;
  readonly memCost: number;
  readonly salt: string;
  readonly hash: string;
}

/** Hashes by Firebase's scrypt. The first is the example of github.com/firebase/scrypt. */
export const firebaseHashes: readonly FirebaseHash[] = [
  {
    madeBy: "Firebase, its own example",
    password: "user1password",
    signerKey: "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
    saltSeparator: "Bw==",
    rounds: 8,
    memCost: 14,
    salt: "42xEC+ixf3L2lw==",
    hash: "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
  },
  {
    madeBy: "pyscryptfirebase 0.0.2",
    password: "correct horse",
    signerKey: "EuYffsb4Bo0moIwvt6BrKhss4vS3CmlUvLoQVMYR857iLnsjVlYBCLDW4IaOR3ABIRO/n+/FFTwT+dVZY2t+Qw==",
    saltSeparator: "Bw==",
    rounds: 8,
    memCost: 10,
    salt: "ron64nh6XQ00zA==",
    hash: "qZyv2EPBTZvFEdUne/Mv/lIOUgZSB/CIqVbA3OtBy6lQVWZetGLSu3jRhf49dcKU8Kq+pTgM3yWfoznJea2oVA==",
  },
  {
    madeBy: "pyscryptfirebase 0.0.2",
    password: "pässwörd ☃",
    signerKey: "dAZhTP8lA9yPrHEPYP6WDA6D6ravTDFFdHBgfC5CzFtJ5hKClUo0RP/qCiZm74gn4rcLbaIjt91ZzZjZxlXq3w==",
    saltSeparator: "Bw==",
    rounds: 4,
    memCost: 9,
    salt: "JD2kdiN4J3BcVQ==",
    hash: "7zOCWX6kBK2dOI/4NmSnG/apyhXbL2pLHus9nybP6BF73SLYHR2biaxbalYVQGB7vTA6ozUUpJYoEYbc3buHpg==",
  },
];
