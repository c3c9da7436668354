-- Checks that scripts can write here, as every caller's script does.
redis.call("SET", KEYS[1], "", "PX", 1000)
return 1
