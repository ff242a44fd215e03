from fastapi import FastAPI

ROWS = 2000

app = FastAPI()


@app.get("/healthz")
def health() -> str:
    return "ok"


@app.get("/search")
async def search() -> dict[str, int]:
    return {"hits": sum(number * 5 % 11 == 0 for number in range(ROWS))}
