"""A shop as many are: Flask-SQLAlchemy models, Flask-Login, the cart in Flask's session. What mtp adds is marked."""

import secrets

from flask import Flask, g, redirect, render_template, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user
from flask_sqlalchemy import SQLAlchemy

from mtp_plugin import MTP, MappedCatalog

db = SQLAlchemy()
login = LoginManager()
mtp = MTP()  # mtp


class Brand(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String, nullable=False)


class Item(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String, nullable=False)
    brand_id = db.Column(db.ForeignKey(Brand.id))
    brand = db.relationship(Brand)
    department = db.Column(db.String)
    cents = db.Column(db.Integer, nullable=False)
    pieces = db.Column(db.Integer, nullable=False, default=0)
    published = db.Column(db.Boolean, nullable=False, default=True)


class Customer(UserMixin, db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String, unique=True)


login.user_loader(lambda customer_id: db.session.get(Customer, int(customer_id)))


# --8<-- mtp: what the shop tells
@mtp.user_loader
def signed_in():
    return current_user.get_id() if current_user.is_authenticated else None


@mtp.cart_loader
def in_the_cart():
    return session.get("cart", [])


@mtp.nonce_loader
def nonce():
    return g.nonce


mtp.catalog(
    MappedCatalog(
        db.session,
        Item,
        {
            "product_id": "id",
            "title": "name",
            "brand": "brand.name",
            "category_path": lambda item: [item.department],
            "price": lambda item: item.cents / 100,
            "stock": "pieces",
            "url": lambda item: f"/item/{item.id}",
        },
        where=[Item.published],
        currency="EUR",
    )
)
# -->8--


def create_app(**config):
    app = Flask(__name__)
    app.config.update(SECRET_KEY=secrets.token_hex(), SQLALCHEMY_DATABASE_URI="sqlite:///shop.sqlite", **config)
    db.init_app(app)
    login.init_app(app)
    mtp.init_app(app)  # mtp

    @app.before_request
    def make_nonce():
        g.nonce = secrets.token_urlsafe(16)

    @app.after_request
    def policy(response):
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'nonce-{g.nonce}'; style-src 'self'; img-src 'self'; "
            "connect-src 'self'; form-action 'self'"
        )
        return response

    @app.get("/")
    def home():
        return render_template("home.html", items=db.session.query(Item).filter_by(published=True).limit(12).all())

    @app.get("/item/<int:item_id>")
    def item(item_id):
        return render_template("item.html", item=db.get_or_404(Item, item_id))

    @app.post("/cart/<int:item_id>")
    def add(item_id):
        chosen = db.get_or_404(Item, item_id)
        session["cart"] = [*session.get("cart", []), str(item_id)]
        mtp.track("Product Added", {"product_id": item_id, "price": chosen.cents / 100})  # mtp
        return redirect(url_for("cart"))

    @app.get("/cart")
    def cart():
        return render_template("cart.html", items=db.session.query(Item).filter(Item.id.in_(session.get("cart", []))))

    @app.post("/order")
    def order():
        bought = db.session.query(Item).filter(Item.id.in_(session.pop("cart", []))).all()
        for chosen in bought:
            chosen.pieces -= 1
        db.session.commit()
        products = [{"product_id": b.id, "price": b.cents / 100, "quantity": 1} for b in bought]  # mtp
        mtp.track("Order Completed", {"order_id": secrets.token_hex(4), "products": products})  # mtp
        return redirect(url_for("home"))

    @app.post("/sign-in")
    def sign_in():
        login_user(db.session.query(Customer).filter_by(name=request.form["name"]).first_or_404())
        return redirect(url_for("home"))

    return app
