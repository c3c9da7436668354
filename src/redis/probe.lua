-- Whether scripts can write here: what every caller wants of the server.
redis.call("SET", KEYS[1], "", "PX", 1000)
return 1
